/**
 * `npm run bench -- soak`: a real edge under mixed load while its clients die at random, and what is left of it in memory afterwards.
 *
 * Channels come and go; publishers, over connections that they keep, die before their first byte or in the middle; followers read steadily, die, or dawdle until they
 * fall out of the window; somebody sends what is no request. Every byte that arrives is checked by a client of Node's own `http`, which shares no code with the edge.
 * It fails (exit code 1) when a follower who reads all the time misses a whole segment, a byte is wrong, a cut segment looks whole, an answer is not what the
 * protocol says, the edge logs at warn or above, or memory does not come back to what it was after a first, short load.
 */
import { parseArgs } from 'node:util';
import { conditions } from '../conditions.mjs';
import { usageOf } from '../edge/process-usage.mjs';
import { EdgeProcess } from '../process/edge-process.mjs';
import { liveOnce } from './channel-life.mjs';
import { pause } from './publisher.mjs';
import { Tally } from './tally.mjs';

const HELP = `npm run bench -- soak [options]

  --seconds N     of load, after a warm-up of a tenth of it, 60 s at most (600)
  --channels N    at a time (12)
  --settle N      seconds of rest before each look at the memory (8)
  --json          one JSON object
`;

const MIB = 1024 * 1024;

/** What may be more afterwards than after the warm-up: pages that the allocator keeps, and compiled code. */
const SPARE_RSS_BYTES = 48 * MIB;
const SPARE_HEAP_BYTES = 6 * MIB;

/** Lives of channels, a number at a time, until `untilMs`. */
async function load({ base, channels, untilMs, tally, first }) {
  let channel = first;
  const lane = async () => {
    while (performance.now() < untilMs) {
      channel += 1;
      const seconds = Math.min(3 + ((channel * 7) % 13), (untilMs - performance.now()) / 1000);
      await liveOnce({ base, channel, seconds, tally });
    }
  };
  await Promise.all(Array.from({ length: channels }, lane));
  return channel;
}

const mib = (bytes) => Number((bytes / MIB).toFixed(1));

/** Runs it and prints what came out. */
export async function soak(argv) {
  const number = (normal) => ({ type: 'string', default: String(normal) });
  const { values } = parseArgs({
    args: argv,
    options: {
      seconds: number(600),
      channels: number(12),
      settle: number(8),
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const [seconds, channels, settle] = [Number(values.seconds), Number(values.channels), Number(values.settle)];
  if (!(seconds > 0 && channels > 0 && settle >= 0)) throw new Error('--seconds and --channels want a number above 0.');
  const edge = await new EdgeProcess({ environment: { EDGE_CREATE: 'explicit' } }).start();
  let peakBytes = 0;
  const watch = setInterval(() => (peakBytes = Math.max(peakBytes, usageOf(edge.pid)?.rssBytes ?? 0)), 250);
  try {
    const fresh = await edge.memory();
    const warming = new Tally();
    const first = await load({
      base: edge.url,
      channels,
      untilMs: performance.now() + Math.min(60, seconds / 10) * 1000,
      tally: warming,
      first: 0,
    });
    await pause(settle * 1000);
    const before = await edge.memory();
    const tally = new Tally();
    await load({ base: edge.url, channels, untilMs: performance.now() + seconds * 1000, tally, first });
    await pause(settle * 1000);
    const after = await edge.memory();
    const heap = (memory) => memory.heapUsed + memory.external;
    const problems = [
      ...warming.faults,
      ...tally.faults,
      ...(edge.warnings > 0 ? [`the edge logged ${edge.warnings} lines at warn or above`, ...edge.firstWarnings] : []),
      ...(after.rss > before.rss + SPARE_RSS_BYTES ? [`RSS grew from ${mib(before.rss)} to ${mib(after.rss)} MiB`] : []),
      ...(heap(after) > heap(before) + SPARE_HEAP_BYTES ? [`heap grew from ${mib(heap(before))} to ${mib(heap(after))} MiB`] : []),
      ...(tally.readWhole === 0 || tally.publisherKills === 0 || tally.followerKills === 0 ? ['it was no load'] : []),
    ];
    const { faults: _faults, ...seen } = tally;
    const memory = {
      freshRssMB: mib(fresh.rss),
      beforeRssMB: mib(before.rss),
      peakRssMB: mib(peakBytes),
      afterRssMB: mib(after.rss),
      beforeHeapMB: mib(heap(before)),
      afterHeapMB: mib(heap(after)),
    };
    const line = {
      bench: 'soak',
      seconds,
      channelsAtATime: channels,
      ...seen,
      warnings: edge.warnings,
      ...memory,
      ok: problems.length === 0,
      problems,
      ...conditions(),
    };
    process.stdout.write(
      values.json
        ? `${JSON.stringify(line)}\n`
        : `${Object.entries(line)
            .map(([name, value]) => `${name.padEnd(16)} ${Array.isArray(value) ? value.join('\n                 ') : value}`)
            .join('\n')}\n`,
    );
    if (problems.length > 0) process.exitCode = 1;
  } finally {
    clearInterval(watch);
    await edge.stop();
  }
}
