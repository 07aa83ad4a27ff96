import type { ParamUpdate } from '../path/param-lane.ts';
import type { PathOutput } from '../path/outputs.ts';

/** What a frame path is told, in order. */
export type PathInput =
  /** `receivedMs`: epoch time at which the bytes arrived, stamped where the network is read. */
  | { kind: 'bytes'; data: Uint8Array; receivedMs: number }
  | { kind: 'discontinuity' }
  | ({ kind: 'params' } & ParamUpdate)
  | { kind: 'end' };

/** A frame path wherever it runs: in a forked child or in this process. */
export interface PathPort {
  /** Resolves when there is room for more. @throws RunnelError when the path is gone. */
  send(input: PathInput): Promise<void>;
  /** What the path gives, in order, ending with `done`. Throws the RunnelError that a child died of. Read once. */
  readonly messages: AsyncIterable<PathOutput>;
  /** Asks the path to finish its frame and leave; takes it down after the deadline. Idempotent. */
  stop(options: { deadlineMs: number }): Promise<void>;
}
