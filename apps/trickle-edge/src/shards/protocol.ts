import { type ErrorCode, type FieldError, RunnelError, toRunnelError } from '@runnel/errors';
import type { LoopDelay } from '../event-loop.ts';
import type { StoredChannel } from '../channels/store.ts';
import type { TrickleEdgeConfig } from '../config.ts';
import type { MetricObject } from './metrics.ts';

/** What a shard is told at its start. Everything here, and in the messages below, crosses to another process by structured clone. */
export interface ShardStart {
  readonly config: TrickleEdgeConfig;
  /** Its number, from 0. */
  readonly index: number;
  /** Port to listen on; 0 takes a free one. */
  readonly port: number;
  /** As `shardUrls` gives it. */
  readonly url: string | null;
  /** Directory of the sockets by which front and shards pass on what is encrypted; null where nothing is. */
  readonly innerDirectory: string | null;
  readonly warmUpMs: number;
  readonly logLevel: string;
}

/** What a shard tells of itself about once a second. */
export interface ShardState {
  readonly channels: number;
  readonly heldBytes: number;
  readonly loopDelay: LoopDelay;
  readonly isWarm: boolean;
}

/** What the front asks of a shard. */
export interface ShardCalls {
  create(channel: StoredChannel): Promise<void>;
  write(segment: { channel: string; bytes: Uint8Array }): Promise<number>;
  end(channels: readonly string[]): Promise<number>;
  lastWrites(channels: readonly string[]): Promise<(number | null)[]>;
  metrics(nothing: null): Promise<MetricObject[]>;
  drain(options: { deadlineMs: number }): Promise<number>;
  reload(nothing: null): Promise<void>;
  /** The shard leaves once this is answered. */
  close(nothing: null): Promise<void>;
}

/** One call on its way. */
export interface CallMessage {
  readonly kind: 'call';
  readonly id: number;
  readonly name: keyof ShardCalls;
  readonly argument: unknown;
}

/** The answer to a call. */
export type ReplyMessage =
  | { readonly kind: 'reply'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: WireError };

/** What the front says. `connection` comes with a socket, unless that was gone before it could be sent. */
export type ToShard =
  | { readonly kind: 'start'; readonly start: ShardStart }
  | { readonly kind: 'connection'; readonly received: Uint8Array }
  | CallMessage;

/** What a shard says. `elsewhere` comes with a socket, as above. */
export type FromShard =
  | { readonly kind: 'started'; readonly port: number; readonly url: string | null }
  | { readonly kind: 'failed'; readonly error: WireError }
  | { readonly kind: 'state'; readonly state: ShardState }
  | { readonly kind: 'elsewhere'; readonly shard: number; readonly received: Uint8Array }
  | ReplyMessage;

/** A RunnelError as plain data, without stack and cause. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly fields: readonly FieldError[];
}

/** Strips an error to what the other process may see. */
export function toWireError(thrown: unknown): WireError {
  const { code, message, hint, fields } = toRunnelError(thrown);
  return { code, message, hint, fields };
}

/** The reverse of `toWireError`. */
export function fromWireError({ code, ...options }: WireError): RunnelError {
  return new RunnelError(code, options);
}
