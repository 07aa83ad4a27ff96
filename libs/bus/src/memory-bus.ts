import { RunnelError } from '@runnel/errors';
import type { z } from 'zod';
import { Mailbox } from './mailbox.ts';
import type { Bus, BusStats, EventDef, EventHandler, RequestDef, RequestHandler, RequestOptions, Subscription, Vars } from './port.ts';
import { subjectMatches, subjectOf, varsOf } from './subject.ts';
import { decode, decodeReply, encode, encodeFailure, encodeReply } from './wire.ts';

/** Limits of an in-process bus. */
export interface MemoryBusOptions {
  /** Events that may wait at one subscriber. Default 1024. */
  readonly queueLength?: number;
  /** Requests that may run at one responder. Default 256. */
  readonly concurrentRequests?: number;
  /** How long a close waits for running handlers, in milliseconds. Default 5000. */
  readonly closeDeadlineMs?: number;
  /** Told of each event handler that threw or got a message that does not fit. */
  readonly onError?: (error: unknown, subject: string) => void;
}

interface Call {
  readonly subject: string;
  readonly text: string;
  readonly answer: (text: string) => void;
}

interface Standing<Job> {
  readonly pattern: string;
  readonly mailbox: Mailbox<Job>;
}

/** The bus of solo mode: all parts in one process, yet each message a copy that is delivered on a later turn. */
export function createMemoryBus(options: MemoryBusOptions = {}): Bus {
  return new MemoryBus(options);
}

class MemoryBus implements Bus {
  readonly #limits: Required<Omit<MemoryBusOptions, 'onError'>>;
  readonly #onError: NonNullable<MemoryBusOptions['onError']>;
  readonly #subscribers = new Set<Standing<Omit<Call, 'answer'>>>();
  /** In the order of turns: whoever was asked last stands at the end. */
  readonly #responders = new Set<Standing<Call>>();
  /** Rejects the requests that wait for an answer; each leaves when it is settled, so deadlines bound it. */
  readonly #pending = new Set<(error: RunnelError) => void>();
  readonly #stats = { droppedFull: 0, droppedInvalid: 0, handlerFailures: 0 };
  #closing: Promise<void> | undefined;

  constructor({ queueLength = 1024, concurrentRequests = 256, closeDeadlineMs = 5000, onError = () => {} }: MemoryBusOptions) {
    this.#limits = { queueLength, concurrentRequests, closeDeadlineMs };
    this.#onError = onError;
  }

  get stats(): BusStats {
    return { ...this.#stats };
  }

  async publish<D extends EventDef>(def: D, vars: Vars<D['subject']>, message: z.input<D['message']>): Promise<void> {
    this.#assertOpen();
    const subject = subjectOf(def.subject, vars, { wildcards: false });
    const text = encode(def.message, message, subject);
    for (const { pattern, mailbox } of this.#subscribers) {
      if (subjectMatches(pattern, subject) && !mailbox.offer({ subject, text })) this.#stats.droppedFull += 1;
    }
  }

  async subscribe<D extends EventDef>(def: D, vars: Vars<D['subject']>, handler: EventHandler<D>): Promise<Subscription> {
    return this.#stand(this.#subscribers, subjectOf(def.subject, vars, { wildcards: true }), {
      capacity: this.#limits.queueLength,
      // One at a time keeps the order of events for handlers that await something.
      concurrency: 1,
      // An event that nobody has begun to handle is lost with its subscriber: at-most-once.
      discard: () => {},
      run: async ({ subject, text }) => {
        try {
          const message = this.#read(def, text, subject);
          if (message !== undefined)
            await handler(message.value as z.output<D['message']>, varsOf(def.subject, subject) as Vars<D['subject']>);
        } catch (error) {
          this.#stats.handlerFailures += 1;
          this.#onError(error, subject);
        }
      },
    });
  }

  async request<D extends RequestDef>(
    def: D,
    vars: Vars<D['subject']>,
    message: z.input<D['message']>,
    { deadlineMs }: RequestOptions,
  ): Promise<z.output<D['reply']>> {
    this.#assertOpen();
    const subject = subjectOf(def.subject, vars, { wildcards: false });
    const text = encode(def.message, message, subject);
    const reply = await this.#call(subject, text, deadlineMs);
    return decodeReply(def.reply, reply, subject) as z.output<D['reply']>;
  }

  async respond<D extends RequestDef>(def: D, vars: Vars<D['subject']>, handler: RequestHandler<D>): Promise<Subscription> {
    return this.#stand(this.#responders, subjectOf(def.subject, vars, { wildcards: false }), {
      capacity: this.#limits.concurrentRequests,
      concurrency: this.#limits.concurrentRequests,
      // A request must never be left to its deadline when it is known already that nobody will answer.
      discard: ({ answer, subject }) => answer(encodeFailure(noResponder(subject))),
      run: async ({ subject, text, answer }) => {
        try {
          const message = decode(def.message, text, subject) as z.output<D['message']>;
          const reply = await handler(message, varsOf(def.subject, subject) as Vars<D['subject']>);
          answer(encodeReply(def.reply, reply, subject));
        } catch (error) {
          answer(encodeFailure(error));
        }
      },
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // First the requesters: a handler that waits for one of them could not end otherwise.
    for (const fail of this.#pending) fail(shuttingDown());
    const standing = [...this.#subscribers, ...this.#responders];
    this.#subscribers.clear();
    this.#responders.clear();
    await Promise.all(standing.map(({ mailbox }) => mailbox.close(this.#limits.closeDeadlineMs)));
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw shuttingDown();
  }

  /** A message that does not fit is dropped here, as it would be from a remote peer of another version. */
  #read(def: EventDef, text: string, subject: string): { value: unknown } | undefined {
    try {
      return { value: decode(def.message, text, subject) };
    } catch (error) {
      this.#stats.droppedInvalid += 1;
      this.#onError(error, subject);
      return undefined;
    }
  }

  #stand<Job>(group: Set<Standing<Job>>, pattern: string, options: ConstructorParameters<typeof Mailbox<Job>>[0]): Subscription {
    this.#assertOpen();
    const standing = { pattern, mailbox: new Mailbox<Job>(options) };
    group.add(standing);
    let closing: Promise<void> | undefined;
    return {
      close: () => {
        group.delete(standing);
        closing ??= standing.mailbox.close(this.#limits.closeDeadlineMs);
        return closing;
      },
    };
  }

  #call(subject: string, text: string, deadlineMs: number): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const timer = setTimeout(() => {
      reject(new RunnelError('deadline_exceeded', { message: `Nobody answered '${subject}' within ${deadlineMs} ms.` }));
    }, deadlineMs);
    this.#pending.add(reject);
    const responder = [...this.#responders].find(({ pattern }) => pattern === subject);
    if (responder === undefined) reject(noResponder(subject));
    else {
      // Moved to the end: several responders take turns.
      this.#responders.delete(responder);
      this.#responders.add(responder);
      if (!responder.mailbox.offer({ subject, text, answer: resolve })) {
        reject(new RunnelError('overloaded', { message: `The responder of '${subject}' has too many requests at once.` }));
      }
    }
    return promise.finally(() => {
      clearTimeout(timer);
      this.#pending.delete(reject);
    });
  }
}

function noResponder(subject: string): RunnelError {
  return new RunnelError('no_responder', { message: `Nobody answers '${subject}'.` });
}

function shuttingDown(): RunnelError {
  return new RunnelError('shutting_down', { message: 'The message bus is closed.' });
}
