/** What a mailbox does with its jobs. */
export interface MailboxOptions<Job> {
  /** Jobs that may wait or run at once; more are refused. */
  readonly capacity: number;
  /** Jobs that may run at once. */
  readonly concurrency: number;
  /** Does one job. Must not reject. */
  readonly run: (job: Job) => Promise<void>;
  /** Told of each job that was taken but will not run, because the mailbox closed. */
  readonly discard: (job: Job) => void;
}

/** A bounded queue before one handler. Jobs begin on a later turn of the event loop, in order. */
export class Mailbox<Job> {
  readonly #options: MailboxOptions<Job>;
  readonly #waiting: Job[] = [];
  readonly #running = new Set<Promise<void>>();
  /** A turn is already booked: any number of offers share it. */
  #scheduled = false;
  #closed = false;

  constructor(options: MailboxOptions<Job>) {
    this.#options = options;
  }

  /** Takes a job, or refuses it (false) when full or closed. */
  offer(job: Job): boolean {
    if (this.#closed || this.#waiting.length + this.#running.size >= this.#options.capacity) return false;
    this.#waiting.push(job);
    this.#schedule();
    return true;
  }

  /** Discards what waits; resolves when what runs has ended, at the latest after `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    this.#closed = true;
    for (const job of this.#waiting.splice(0)) this.#options.discard(job);
    if (this.#running.size === 0) return;
    const { promise: expired, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, deadlineMs);
    await Promise.race([Promise.all(this.#running), expired]);
    clearTimeout(timer);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Never in the caller's own turn: over a network too, a publisher has returned before anybody hears it.
    setImmediate(() => {
      this.#scheduled = false;
      while (this.#waiting.length > 0 && this.#running.size < this.#options.concurrency) this.#start(this.#waiting.shift()!);
    });
  }

  #start(job: Job): void {
    const running = this.#options.run(job).finally(() => {
      this.#running.delete(running);
      if (this.#waiting.length > 0) this.#schedule();
    });
    this.#running.add(running);
  }
}
