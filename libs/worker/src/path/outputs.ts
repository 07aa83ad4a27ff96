import type { EndReason, WorkerEvent } from '@runnel/schemas';

/** What a frame path gives, in order. */
export type PathOutput =
  /** Transport stream bytes of the open segment; the first after a cut begin with the program tables. */
  | { kind: 'bytes'; data: Uint8Array }
  /** The segment is whole; the next bytes begin another. */
  | { kind: 'cut' }
  | { kind: 'event'; event: WorkerEvent }
  /** The last word: nothing follows. */
  | { kind: 'done'; reason: EndReason; detail: string };

/** Takes the outputs in the order of its calls; resolves when there is room for more and never rejects. */
export type PathSink = (output: PathOutput) => Promise<void>;
