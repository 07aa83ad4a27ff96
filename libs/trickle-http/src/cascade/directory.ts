/** Where a channel lives that this edge does not own. */
export interface Owner {
  /**
   * URL of the channel at its owner, without a sequence number. Called anew for each attempt to connect, so that it may carry a fresh
   * token: it must never reach a log or an error.
   */
  url(): string;
}

/** Knows the owners of channels. A port: a table in the configuration, or a bus that asks. */
export interface OwnerDirectory {
  /**
   * Who owns a channel; null when nobody is known to. Its caller gives it a deadline and remembers an answer of null for a moment.
   * @throws RunnelError when it cannot tell.
   */
  find(channel: string): Promise<Owner | null>;
}
