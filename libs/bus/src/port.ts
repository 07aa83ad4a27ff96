import type { z } from 'zod';

/** An event of `BUS`: whoever subscribes hears it, nobody answers. */
export interface EventDef {
  /** Dot-separated tokens; `{x}` stands for one token that the caller fills in. */
  readonly subject: string;
  readonly message: z.ZodType;
}

/** A request of `BUS`: exactly one responder answers it. */
export interface RequestDef extends EventDef {
  readonly reply: z.ZodType;
}

type VarNames<Subject extends string> = Subject extends `${string}{${infer Name}}${infer Rest}` ? Name | VarNames<Rest> : never;

/** The values of a subject's `{x}`: letters, digits, `_` and `-`. A subscription may give `ANY` for "every value". */
export type Vars<Subject extends string> = Readonly<Record<VarNames<Subject>, string>>;

/** Gets each message of a subscription, one at a time and in order. `vars` holds the values in the subject it was published on. */
export type EventHandler<D extends EventDef> = (message: z.output<D['message']>, vars: Vars<D['subject']>) => void | Promise<void>;

/** Answers one request; several may run at once. A RunnelError that it throws reaches the requester with the same code. */
export type RequestHandler<D extends RequestDef> = (
  message: z.output<D['message']>,
  vars: Vars<D['subject']>,
) => z.input<D['reply']> | Promise<z.input<D['reply']>>;

/** How long a requester waits. */
export interface RequestOptions {
  /** Milliseconds until the request fails with `deadline_exceeded`. */
  readonly deadlineMs: number;
}

/** A handler that stands on the bus. */
export interface Subscription {
  /** Takes the handler off the bus, drops what it has not begun, and waits (bounded) for what it has. Idempotent. */
  close(): Promise<void>;
}

/** What this bus did not deliver, since it was made. */
export interface BusStats {
  /** Events dropped because a subscriber's queue was full. */
  readonly droppedFull: number;
  /** Messages dropped because they do not fit their schema. */
  readonly droppedInvalid: number;
  /** Event handlers that threw. */
  readonly handlerFailures: number;
}

/**
 * The message bus as the apps see it, whatever carries it. Each message is checked against its schema before it leaves and again
 * where it arrives; what arrives is a copy. Events are at-most-once. All adapters pass one conformance suite.
 */
export interface Bus {
  /**
   * Sends an event to all who are subscribed now. Resolves once it is handed over, not when it is handled.
   * @throws RunnelError `invalid_request` (does not fit the schema), `payload_too_large`, `shutting_down`.
   */
  publish<D extends EventDef>(def: D, vars: Vars<D['subject']>, message: z.input<D['message']>): Promise<void>;
  /** Hears an event. When the handler falls behind by a full queue, newer events are dropped and counted. */
  subscribe<D extends EventDef>(def: D, vars: Vars<D['subject']>, handler: EventHandler<D>): Promise<Subscription>;
  /**
   * Asks, and waits for the answer.
   * @throws RunnelError `no_responder`, `deadline_exceeded`, `overloaded`, `invalid_request`, `payload_too_large`,
   * `shutting_down`, or what the responder threw.
   */
  request<D extends RequestDef>(
    def: D,
    vars: Vars<D['subject']>,
    message: z.input<D['message']>,
    options: RequestOptions,
  ): Promise<z.output<D['reply']>>;
  /** Answers a request. With several responders on one subject, each request goes to one of them in turn. */
  respond<D extends RequestDef>(def: D, vars: Vars<D['subject']>, handler: RequestHandler<D>): Promise<Subscription>;
  readonly stats: BusStats;
  /** Ends all subscriptions and fails open requests with `shutting_down`; waits (bounded) for handlers. Idempotent. */
  close(): Promise<void>;
}
