/** What of a request matters to the relay, whatever transport brought it. */
export interface RelayRequest {
  readonly method: string;
  /** Path and query as they stand in the request. */
  readonly target: string;
  readonly contentType: string | null;
  readonly expectContent: string | null;
  /** Whether `Lp-Trickle-Reset` has a value that is not empty. */
  readonly reset: boolean;
  /** `Lp-Trickle-Via` (Trickle spec, Cascade). */
  readonly via: string | null;
}
