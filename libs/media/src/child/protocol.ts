import { RunnelError, toRunnelError, type ErrorCode, type RunnelErrorOptions } from '@runnel/errors';

/** A RunnelError as plain data: what crosses the process boundary. */
export interface WireError {
  code: ErrorCode;
  message: string;
  hint: string;
  details: NonNullable<RunnelErrorOptions['details']>;
}

/** What parent and child say to each other. `message` and `ack` go both ways, the rest one way. */
export type Envelope =
  /** Parent: the first word; the child's handler starts with it. */
  | { type: 'init'; init: unknown }
  /** Child: started, `forkChild` resolves. */
  | { type: 'ready' }
  /** Child: its handler failed; the process leaves. */
  | { type: 'failed'; error: WireError }
  | { type: 'message'; body: unknown }
  /** The receiver's reader has taken `count` more messages: as many more may be sent. */
  | { type: 'ack'; count: number }
  /** Parent: no more messages will come; finish and leave. */
  | { type: 'stop' };

/** Strips an error to what the other process may see. Stack and cause stay behind. */
export function toWireError(thrown: unknown): WireError {
  const { code, message, hint, details } = toRunnelError(thrown);
  return { code, message, hint, details };
}

/** The reverse of `toWireError`. */
export function fromWireError(error: WireError): RunnelError {
  return new RunnelError(error.code, error);
}
