import type { FrameTrace, WorkerEvent } from '@runnel/schemas';

/** Traces are told in batches: this many frames, or what there is after this time. */
const BATCH_FRAMES = 30;
const BATCH_MS = 500;

/** Collects the times of frames into `frames` events. */
export class TraceLog {
  readonly #enabled: boolean;
  readonly #emit: (event: WorkerEvent) => void;
  readonly #nowMs: () => number;
  #frames: FrameTrace[] = [];
  #sinceMs = 0;

  constructor({ enabled, emit, nowMs }: { enabled: boolean; emit: (event: WorkerEvent) => void; nowMs: () => number }) {
    this.#enabled = enabled;
    this.#emit = emit;
    this.#nowMs = nowMs;
  }

  /** A frame has left. */
  frame(trace: FrameTrace): void {
    if (!this.#enabled) return;
    if (this.#frames.length === 0) this.#sinceMs = this.#nowMs();
    this.#frames.push(trace);
    if (this.#frames.length >= BATCH_FRAMES || this.#nowMs() - this.#sinceMs >= BATCH_MS) this.flush();
  }

  /** Tells what has not been told. */
  flush(): void {
    if (this.#frames.length === 0) return;
    this.#emit({ type: 'frames', timestamp: this.#nowMs(), frames: this.#frames });
    this.#frames = [];
  }
}
