/** One request of an HTTP/2 connection, from its headers to the end of its stream. */
export interface Exchange {
  /** Looks at deadlines. */
  tick(nowMs: number): void;
  /** The stream is closed, whoever closed it. Idempotent. */
  gone(): void;
}
