/** Counts of one run that should stay 0. */
export class Totals {
  /** Connections that broke or could not be made, answers that were no answers or had a status that was not expected. */
  errors = 0;
  /** Segments that came with a wrong byte, or ended well before their end. */
  corrupt = 0;
  /** 470s: a reader was told that it has missed something. */
  gaps = 0;
  /** Segments whose connection broke in the middle. */
  cut = 0;
  /** Segments that ended well and without a byte. */
  empty = 0;
  /** How often each status came that was not expected. */
  statuses = {};

  /** An answer with a status that was not expected. */
  refused(status) {
    this.errors += 1;
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
  }

  /** As a plain object, for a result. */
  counts() {
    return Object.fromEntries(Object.entries(this));
  }
}
