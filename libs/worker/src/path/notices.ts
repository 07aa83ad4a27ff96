import { toRunnelError, type RunnelError } from '@runnel/errors';
import type { WorkerEvent } from '@runnel/schemas';

/** A code is told at most this often; what came between is counted in the next message. */
const NOTICE_INTERVAL_MS = 1_000;

/** Turns what goes wrong into `warning` and `error` events, a code at most once a second. */
export class Notices {
  readonly #emit: (event: WorkerEvent) => void;
  readonly #nowMs: () => number;
  readonly #told = new Map<string, { atMs: number; held: number }>();

  constructor({ emit, nowMs }: { emit: (event: WorkerEvent) => void; nowMs: () => number }) {
    this.#emit = emit;
    this.#nowMs = nowMs;
  }

  /** Something was odd and the stream goes on. `code` is one of a fixed few. */
  warn(code: string, message: string): void {
    this.#tell('warning', code, message);
  }

  /** A frame was lost or replaced because of this. Returns the error as ours. */
  error(thrown: unknown): RunnelError {
    const error = toRunnelError(thrown);
    this.#tell('error', error.code === 'internal' ? 'processor_failed' : error.code, error.message);
    return error;
  }

  #tell(type: 'warning' | 'error', code: string, message: string): void {
    const now = this.#nowMs();
    const told = this.#told.get(code);
    if (told !== undefined && now - told.atMs < NOTICE_INTERVAL_MS) {
      told.held += 1;
      return;
    }
    this.#told.set(code, { atMs: now, held: 0 });
    const again = told === undefined || told.held === 0 ? '' : ` (and ${told.held} more like it)`;
    this.#emit({ type, timestamp: now, code, message: `${message}${again}` });
  }
}
