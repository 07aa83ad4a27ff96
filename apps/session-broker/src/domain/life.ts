import type { EndReason, SessionState } from '@runnel/schemas';

/** How long a session may stay in a state before time alone moves it on, in milliseconds. `running` counts from the last sign of life. */
export interface LifeDeadlines {
  readonly placingMs: number;
  readonly startingMs: number;
  readonly silenceMs: number;
  readonly stoppingMs: number;
}

/** Where a session is in its life, and until when it may stay there. */
export interface Life {
  readonly state: SessionState;
  /** Why it ends or has ended; known from `stopping` on. */
  readonly reason: EndReason | null;
  readonly detail: string | null;
  /** Epoch ms at which `deadline` is due; null once ended. */
  readonly deadlineMs: number | null;
}

/** What can happen to a session. */
export type LifeEvent =
  /** A worker was chosen and the channels exist. */
  | { readonly type: 'placed' }
  /** The worker has accepted the session. */
  | { readonly type: 'started' }
  /** The worker was heard. */
  | { readonly type: 'heard' }
  /** Somebody wants it to end, or the worker has said that it is about to. */
  | { readonly type: 'stop'; readonly reason: EndReason; readonly detail: string }
  /** Nothing of it runs any more. */
  | { readonly type: 'gone'; readonly reason: EndReason; readonly detail: string }
  /** The time of the state is up. */
  | { readonly type: 'deadline' };

/** The beginning of every session. */
export function newLife(nowMs: number, deadlines: LifeDeadlines): Life {
  return { state: 'placing', reason: null, detail: null, deadlineMs: nowMs + deadlines.placingMs };
}

/**
 * The one place where a session changes state. Pure; an event that has no meaning in a state leaves it as it is (the same object).
 * Every state but `ended` has a deadline, and no state is entered twice, so every session ends.
 */
export function advance(life: Life, event: LifeEvent, nowMs: number, deadlines: LifeDeadlines): Life {
  if (life.state === 'ended') return life;
  switch (event.type) {
    case 'placed':
      return life.state === 'placing' ? { ...life, state: 'starting', deadlineMs: nowMs + deadlines.startingMs } : life;
    case 'started':
      return life.state === 'starting' ? { ...life, state: 'running', deadlineMs: nowMs + deadlines.silenceMs } : life;
    case 'heard':
      return life.state === 'running' ? { ...life, deadlineMs: nowMs + deadlines.silenceMs } : life;
    case 'stop':
      return life.state === 'stopping' ? life : stopping(event.reason, event.detail, nowMs + deadlines.stoppingMs);
    case 'gone':
      // Who asked for the end first is the reason; what happens while it winds down is not.
      return ended(life.reason ?? event.reason, life.detail ?? event.detail);
    case 'deadline':
      break;
  }
  return expired(life);
}

function expired(life: Life): Life {
  switch (life.state) {
    case 'placing':
      return ended('start_failed', 'No edge made its channels in time.');
    case 'starting':
      return ended('start_failed', 'The worker did not start it in time.');
    case 'running':
      return ended('worker_lost', 'Nothing was heard from the worker.');
    case 'stopping':
      return ended(life.reason ?? 'stopped', life.detail ?? 'The worker did not confirm the end in time.');
    case 'ended':
      break;
  }
  return life;
}

function stopping(reason: EndReason, detail: string, deadlineMs: number): Life {
  return { state: 'stopping', reason, detail, deadlineMs };
}

function ended(reason: EndReason, detail: string): Life {
  return { state: 'ended', reason, detail, deadlineMs: null };
}
