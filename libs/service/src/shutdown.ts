import { endsWithin } from './deadline.ts';
import type { Logger } from './logger.ts';

/** How long one step of a shutdown may take when it does not say, in milliseconds. */
export const STEP_DEADLINE_MS = 10_000;

interface Step {
  readonly name: string;
  readonly close: () => Promise<void>;
  readonly deadlineMs: number;
}

/**
 * Closes parts in the reverse order of their start, each awaited up to its deadline. A step that fails or hangs is logged and does
 * not keep the others from closing.
 */
export class ShutdownSequence {
  readonly #logger: Logger;
  readonly #steps: Step[] = [];
  #closing: Promise<void> | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Adds a part that has just been started. */
  add(name: string, close: () => Promise<void>, { deadlineMs = STEP_DEADLINE_MS }: { deadlineMs?: number } = {}): void {
    this.#steps.push({ name, close, deadlineMs });
  }

  /** Closes all. Idempotent: later calls wait for the first. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) await this.#run(step);
  }

  async #run({ name, close, deadlineMs }: Step): Promise<void> {
    try {
      if (!(await endsWithin(close(), deadlineMs))) this.#logger.error({ step: name, deadlineMs }, 'shutdown step hangs; going on');
    } catch (err) {
      this.#logger.error({ err, step: name }, 'shutdown step failed; going on');
    }
  }
}
