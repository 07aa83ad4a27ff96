import type { TrickleLimits } from '../limits.ts';
import { Random } from './random.ts';

/** One step of a run. `pub`, `sub`, `ch` name an actor; what an actor cannot do where it stands, it does not do: so any step may be left out. */
export type Step =
  | { op: 'post'; pub: number; at: 'next' | 'again' | 'append' | 'behind' | 'ahead'; by: number; reset: boolean }
  | { op: 'write'; pub: number; post: number; size: number; form: 'whole' | 'part' | 'frames' }
  | { op: 'end'; pub: number; post: number; last: number }
  | { op: 'die'; pub: number; post: number }
  | { op: 'join'; sub: number; at: 'next' | 'current' | 'back' | 'number'; by: number }
  | { op: 'take'; sub: number; chunks: number }
  | { op: 'stall' | 'resume' | 'leave' | 'reopen' | 'follow'; sub: number }
  | { op: 'close'; ch: number; by: number }
  | { op: 'delete'; ch: number; drainMs: number }
  | { op: 'create'; ch: number }
  | { op: 'skip'; ch: number; by: number }
  | { op: 'wait'; ms: number }
  | { op: 'sweep' };

/** How a publisher comes by its numbers. */
export type PublisherKind = 'numbers' | 'append';

/** A whole run: everything that happens in it stands here. */
export interface Trace {
  readonly limits: Partial<TrickleLimits>;
  readonly channels: number;
  readonly publishers: readonly PublisherKind[];
  /** Whether a subscriber opens the next segment when one begins; else it reads one to its end first. */
  readonly subscribers: readonly { readonly preconnects: boolean }[];
  readonly steps: readonly Step[];
}

/** Number of steps of a run. */
const STEPS = 160;

/** Worlds that differ in what is scarce. Each stands in its own kind of trouble. */
const WORLDS: readonly Partial<TrickleLimits>[] = [
  {},
  {},
  { windowSegments: 2, windowAgeMs: 100, reachSegments: 4 },
  { windowSegments: 1, windowAgeMs: 0 },
  { windowBytes: 1400, segmentBytes: 900 },
  { maxSegments: 3, reachSegments: 6 },
  { hubBytes: 3000 },
  { segmentBytes: 20 },
  { maxReaders: 3, maxWriters: 3 },
  { takeoverGraceMs: 0 },
  { idleMs: 2000, maxChannels: 2 },
];

const OPS: readonly Step['op'][] = weighted({
  post: 9,
  write: 18,
  end: 9,
  die: 2,
  join: 4,
  take: 8,
  stall: 2,
  resume: 3,
  leave: 2,
  reopen: 1,
  follow: 5,
  close: 1,
  delete: 1,
  create: 2,
  skip: 1,
  wait: 5,
  sweep: 4,
});

/** The run of a seed. */
export function traceOf(seed: number): Trace {
  const random = new Random(seed);
  const channels = 1 + random.int(3);
  return {
    limits: random.pick(WORLDS),
    channels,
    publishers: Array.from({ length: channels + random.int(3) }, () => random.pick(['numbers', 'numbers', 'append'] as const)),
    subscribers: Array.from({ length: channels + random.int(4) }, () => ({ preconnects: !random.oneIn(4) })),
    steps: steps(random, channels),
  };
}

function steps(random: Random, channels: number): Step[] {
  const made: Step[] = Array.from({ length: channels }, (_, ch) => ({ op: 'create', ch }));
  for (let sub = 0; sub < 3; sub += 1) made.push({ op: 'join', sub, at: 'next', by: 0 });
  // Most runs have long quiet stretches, some have a clock that stands still.
  const clock = random.pick([
    [1, 10, 30, 100],
    [0, 0, 0, 5000],
    [1, 33, 250, 1001, 1500],
    [-400, 5, 200, 900, 3_600_000],
  ]);
  while (made.length < STEPS) made.push(step(random, clock));
  return made;
}

function step(random: Random, clock: readonly number[]): Step {
  const op = random.pick(OPS);
  const [pub, sub, ch] = [random.int(12), random.int(12), random.int(12)];
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the others name a subscriber and nothing else
  switch (op) {
    case 'post': {
      const at = random.pick(['next', 'next', 'next', 'next', 'again', 'append', 'behind', 'ahead'] as const);
      return { op, pub, at, by: 1 + random.int(7), reset: random.oneIn(12) };
    }
    case 'write':
      return { op, pub, post: random.int(3), size: 1 + random.int(12), form: random.pick(['whole', 'whole', 'part', 'frames'] as const) };
    case 'end':
      return { op, pub, post: random.int(3), last: random.oneIn(3) ? 1 + random.int(6) : 0 };
    case 'die':
      return { op, pub, post: random.int(3) };
    case 'join':
      return { op, sub, at: random.pick(['next', 'current', 'back', 'next', 'current', 'back', 'number'] as const), by: random.int(8) };
    case 'take':
      return { op, sub, chunks: 1 + random.int(3) };
    case 'close':
      return { op, ch, by: random.int(5) };
    case 'delete':
      return { op, ch, drainMs: random.pick([0, 500, 1000]) };
    case 'create':
      return { op, ch };
    case 'skip':
      return { op, ch, by: 1 + random.int(4) };
    case 'wait':
      return { op, ms: random.pick(clock) };
    case 'sweep':
      return { op };
    default:
      return { op, sub };
  }
}

function weighted<T extends string>(weights: Record<T, number>): T[] {
  return (Object.keys(weights) as T[]).flatMap((key) => Array.from({ length: weights[key] }, () => key));
}
