import { toRunnelError } from '@runnel/errors';
import type { ParamValues, WorkerEvent } from '@runnel/schemas';
import type { z } from 'zod';
import { parseParams, type ProcessorDefinition } from '../sdk/definition.ts';
import type { FrameProcessor } from '../sdk/processor.ts';

/** Updates that may wait for the next frame; beyond it the oldest becomes part of the one after it. */
const PENDING_UPDATES_MAX = 64;

/** New values for some parameters. */
export interface ParamUpdate {
  /** Grows with every update of the session. */
  revision: number;
  /** The keys to change; others keep their values. */
  values: ParamValues;
}

/** Brings parameters to a processor between two frames, and says from which frame on they hold. */
export class ParamLane {
  readonly #definition: ProcessorDefinition;
  readonly #emit: (event: WorkerEvent) => void;
  readonly #nowMs: () => number;
  #values: ParamValues;
  #pending: ParamUpdate[] = [];
  /** In force, but no frame with them has left yet. */
  #unannounced: number[];

  /** @throws RunnelError `invalid_params` for the first values. */
  constructor(options: {
    definition: ProcessorDefinition;
    processor: FrameProcessor;
    first: ParamUpdate;
    emit: (event: WorkerEvent) => void;
    nowMs: () => number;
  }) {
    this.#definition = options.definition;
    this.#emit = options.emit;
    this.#nowMs = options.nowMs;
    this.#values = options.first.values;
    this.#unannounced = [options.first.revision];
    options.processor.params = parseParams(options.definition, options.first.values);
  }

  /**
   * Takes an update for the next frame; one that does not fit the schema is rejected at once, by event. However many come before a
   * frame does, the last one holds: it is the one that whoever sent it believes in.
   */
  update(update: ParamUpdate): void {
    try {
      // Checked against what will be in force by then: an update may only fit on top of those that wait before it.
      const merged = this.#pending.reduce((values, { values: newer }) => ({ ...values, ...newer }), this.#values);
      parseParams(this.#definition, { ...merged, ...update.values });
      this.#pending.push(update);
    } catch (error) {
      this.#reject(update, error);
      return;
    }
    if (this.#pending.length > PENDING_UPDATES_MAX) this.#mergeOldest();
  }

  /** Whether updates wait for the next frame. */
  get isPending(): boolean {
    return this.#pending.length > 0;
  }

  /** Between two frames: what is pending comes into force, one after the other. */
  async apply(processor: FrameProcessor): Promise<void> {
    while (this.#pending.length > 0) {
      const update = this.#pending.shift()!;
      const before = processor.params;
      try {
        const values = { ...this.#values, ...update.values };
        const params: z.output<z.ZodObject> = parseParams(this.#definition, values);
        processor.params = params;
        const done = processor.updateParams(params);
        if (done instanceof Promise) await done;
        this.#values = values;
        this.#unannounced.push(update.revision);
      } catch (error) {
        processor.params = before;
        this.#reject(update, error);
      }
    }
  }

  /** A processed frame has left: what was new with it is told. */
  frameSent(frame: { number: number; pts: number }, processor: FrameProcessor): void {
    for (const revision of this.#unannounced.splice(0)) {
      const params = processor.params as ParamValues;
      this.#emit({ type: 'params_applied', timestamp: this.#nowMs(), revision, frame: frame.number, pts: frame.pts, params });
    }
  }

  #mergeOldest(): void {
    const [oldest, next] = this.#pending.splice(0, 2);
    this.#pending.unshift({ revision: next.revision, values: { ...oldest.values, ...next.values } });
    this.#emit({
      type: 'warning',
      timestamp: this.#nowMs(),
      code: 'params_merged',
      message: `Revision ${oldest.revision} became part of revision ${next.revision}: more than ${PENDING_UPDATES_MAX} wait for a frame.`,
    });
  }

  #reject({ revision }: ParamUpdate, thrown: unknown): void {
    this.#emit({ type: 'params_rejected', timestamp: this.#nowMs(), revision, reason: toRunnelError(thrown).message });
  }
}
