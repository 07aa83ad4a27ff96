/**
 * `npm run bench -- hostile`: whether streams stutter while thousands of connections attack the edge that serves them.
 *
 * The same streams run twice, with Node's own `http` client: alone, and while another process keeps thousands of connections open that are silent, slow, malformed, too large,
 * or do not read (`attacks.mjs` has them all). It fails (exit code 1) when the p99 of the first byte's delay is more than twice the undisturbed one and a floor,
 * a segment is lost or wrong, the edge ends or logs at warn or above, or its memory does not come back. The edge has one core, the streams and the attackers share the other.
 */
import { parseArgs } from 'node:util';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { conditions } from '../conditions.mjs';
import { fileLimit, findCores, pinned } from '../edge/pinning.mjs';
import { usageOf } from '../edge/process-usage.mjs';
import { EdgeProcess } from '../process/edge-process.mjs';

const HELP = `npm run bench -- hostile [options]

  --seconds N       of each of the two runs (20)
  --connections N   of the attackers at a time (10000, or what the limit of open files allows)
  --rate N          new connections a second at most (1000)
  --channels N      streams that are watched (4)
  --floor-ms N      a p99 below twice the undisturbed one plus this is no stutter (10)
  --json            one JSON object
`;

const MIB = 1024 * 1024;
const SPARE_FILES = 500;

/** Memory that may be more afterwards: pages that the allocator keeps. */
const SPARE_RSS_BYTES = 64 * MIB;
const SPARE_HEAP_BYTES = 8 * MIB;

/** Behind the attack: connections that were not ended yet meet the edge's deadlines. */
const REST_MS = 14_000;

const VICTIM = { perSecond: 30, bytes: 8192 };

const NUMBERS = { seconds: 20, connections: 10_000, rate: 1000, channels: 4, 'floor-ms': 10 };

/** Time that the main thread of a process ran and that it waited for a core, ms; zeros where that cannot be told. */
function scheduled(pid) {
  try {
    const [ran, waited] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ').map(Number);
    return { ran: ran / 1e6, waited: waited / 1e6 };
  } catch {
    return { ran: 0, waited: 0 };
  }
}

/** What goes on, and the shares of the time in which the edge ran and in which it could have, had other programs not been on its core. */
async function whileMeasured(edge, work) {
  const [startMs, before] = [performance.now(), scheduled(edge.pid)];
  const result = await work;
  const [wallMs, after] = [performance.now() - startMs, scheduled(edge.pid)];
  const share = (key) => Number(((after[key] - before[key]) / wallMs).toFixed(2));
  return { ...result, edgeRan: share('ran'), edgeWaitedForCore: share('waited') };
}

async function run(core, script, plan) {
  const [command, args] = pinned(core, process.execPath, [join(import.meta.dirname, script)]);
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const deadline = setTimeout(() => child.kill('SIGKILL'), (plan.seconds * 3 + 30) * 1000);
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  child.stdin.end(JSON.stringify(plan));
  const printed = await text(child.stdout);
  clearTimeout(deadline);
  process.off('exit', end);
  if (printed === '') throw new Error(`${script} ended without a result.`);
  return JSON.parse(printed);
}

const rest = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
const mib = (bytes) => Number((bytes / MIB).toFixed(1));

/** Runs it and prints what came out. */
export async function hostile(argv) {
  const texts = Object.fromEntries(Object.entries(NUMBERS).map(([name, normal]) => [name, { type: 'string', default: String(normal) }]));
  const { values } = parseArgs({
    args: argv,
    options: { ...texts, json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const {
    seconds,
    rate,
    channels,
    'floor-ms': floorMs,
    ...asked
  } = Object.fromEntries(Object.keys(NUMBERS).map((name) => [name, Number(values[name])]));
  const connections = Math.min(asked.connections, (fileLimit() ?? asked.connections + SPARE_FILES) - SPARE_FILES);
  const cores = findCores();
  const edge = await new EdgeProcess({ core: cores?.server, environment: { EDGE_CREATE: 'auto' } }).start();
  const streams = (name) => ({
    url: edge.url,
    channels: Array.from({ length: channels }, (_, index) => `${name}-${index}`),
    seconds,
    ...VICTIM,
  });
  let peakBytes = 0;
  const watch = setInterval(() => (peakBytes = Math.max(peakBytes, usageOf(edge.pid)?.rssBytes ?? 0)), 250);
  try {
    await run(cores?.generator, 'victim.child.mjs', { ...streams('warm'), seconds: 4 });
    const alone = await whileMeasured(edge, run(cores?.generator, 'victim.child.mjs', streams('alone')));
    const before = await edge.memory();
    const attack = run(cores?.generator, 'attack.child.mjs', {
      url: edge.url,
      victims: streams('beside').channels,
      connections,
      perSecond: rate,
      seconds: seconds + connections / rate + 2,
    });
    // Until all of them are there.
    await rest((connections / rate) * 1000);
    const beside = await whileMeasured(edge, run(cores?.generator, 'victim.child.mjs', streams('beside')));
    const attacked = await attack;
    await rest(REST_MS);
    const after = await edge.memory();
    const mostMs = Math.max(2 * alone.firstByteMs.p99, alone.firstByteMs.p99 + floorMs);
    const heap = (memory) => memory.heapUsed + memory.external;
    const problems = [
      ...(beside.firstByteMs.p99 > mostMs
        ? [`p99 of the first byte went from ${alone.firstByteMs.p99} to ${beside.firstByteMs.p99} ms`]
        : []),
      ...['lost', 'corrupt', 'refused'].flatMap((kind) =>
        alone[kind] + beside[kind] > 0 ? [`${kind}: ${alone[kind]} alone, ${beside[kind]} beside`] : [],
      ),
      ...(edge.warnings > 0 ? [`the edge logged ${edge.warnings} lines at warn or above`, ...edge.firstWarnings] : []),
      ...(after.rss > before.rss + SPARE_RSS_BYTES ? [`RSS went from ${mib(before.rss)} to ${mib(after.rss)} MiB`] : []),
      ...(heap(after) > heap(before) + SPARE_HEAP_BYTES ? [`heap went from ${mib(heap(before))} to ${mib(heap(after))} MiB`] : []),
    ];
    const memory = {
      beforeRssMB: mib(before.rss),
      peakRssMB: mib(peakBytes),
      afterRssMB: mib(after.rss),
      beforeHeapMB: mib(heap(before)),
      afterHeapMB: mib(heap(after)),
    };
    const line = {
      bench: 'hostile',
      seconds,
      connections,
      rate,
      channels,
      alone,
      beside,
      attacked,
      mostP99Ms: mostMs,
      warnings: edge.warnings,
      ...memory,
      ok: problems.length === 0,
      problems,
      pinned: cores ?? 'no',
      ...conditions(),
    };
    const plain = (value) => (typeof value === 'object' ? JSON.stringify(value) : value);
    process.stdout.write(
      values.json
        ? `${JSON.stringify(line)}\n`
        : `${Object.entries(line)
            .map(([name, value]) => `${name.padEnd(14)} ${plain(value)}`)
            .join('\n')}\n`,
    );
    if (problems.length > 0) process.exitCode = 1;
  } finally {
    clearInterval(watch);
    await edge.stop();
  }
}
