/** What is said of a metric, in the scrape and in docs/reference/metrics.md. */
export interface MetricFacts {
  /** Snake case with its unit; counters end in `_total`. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** One sentence. */
  readonly help: string;
  /** Each label with all its values. No label carries a channel's name or a token: they are secrets, and there is no bound on their number. */
  readonly labels?: Readonly<Record<string, readonly string[]>>;
}
