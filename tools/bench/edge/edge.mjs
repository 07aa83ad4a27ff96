/**
 * `npm run bench -- edge`: what the edge costs and how fast it is, beside a bare `node:http` relay under the same load, and beside any other trickle server.
 *
 * How to read it
 * - CPU is user and system time of the server's process and its children, from `/proc`, over the measured time only. A segment is counted once for each
 *   reader that got it whole.
 * - First byte: from the moment the generator sends the first write of a segment until its first byte is back. Last byte: the same for the last write. Both ends
 *   have the same clock. A write that the server does not take yet counts from the moment it was due.
 * - Lost is every segment that did not come whole to a reader until 2 s after the last was sent; corrupt is one that was wrong or ended as if it were whole.
 * - KB a reader is what the resident memory of a fresh process grows by: one that has worked already has room to spare, and readers would seem to cost nothing.
 *   So the edge does not warm up in that scenario, and a server given by its URL should just have been started.
 * - Ratios are taken within a rep, where the servers ran one right after the other; the median over the reps is given, and the range. The p99 ratio is
 *   that of the last byte.
 *
 * Why the generator is not what is measured: it is one process on a core of its own, speaks HTTP with a parser that only knows what it needs, and copies nothing.
 * Its share of its core and how late its writes were (p99) stand in every line. Delays hold its own time too, the same for every server. Where the server's
 * core is full and the generator's is not, the server is the limit. The scenario `generator` tells how much it can send and receive, against a sink that does
 * next to nothing. What other programs took of both cores meanwhile stands there too
 * (`othersOnServerCore`, `othersOnGeneratorCore`: share of a core). A run in which the generator was late or others took much is made again, and is marked when
 * no repeat was calm.
 */
import { conditions } from '../conditions.mjs';
import { HELP, parseOptions } from './options.mjs';
import { fileLimit, findCores } from './pinning.mjs';
import { lineOf, tableOf } from './report.mjs';
import { measure } from './run.mjs';
import { planOf, rotated, serversFor } from './scenarios.mjs';
import { killAll, serversOf } from './servers.mjs';
import { Workplace } from './variants.mjs';

/** More lag than this, and the tails are the machine's. */
const LAG_LIMIT_MS = 4;

/** More than this share of a core for other programs, and the figures are theirs as well. */
const OTHERS_LIMIT = 0.15;

const say = (text) => process.stderr.write(`${text}\n`);

/** What of a run was not calm; empty when it was. */
function disturbances({ generatorLagP99Ms, othersOnServerCore, othersOnGeneratorCore }) {
  return [
    ...(generatorLagP99Ms > LAG_LIMIT_MS ? [`generator late by ${generatorLagP99Ms} ms`] : []),
    ...(othersOnServerCore > OTHERS_LIMIT ? [`${Math.round(othersOnServerCore * 100)} % of the server's core taken by others`] : []),
    ...(othersOnGeneratorCore > OTHERS_LIMIT
      ? [`${Math.round(othersOnGeneratorCore * 100)} % of the generator's core taken by others`]
      : []),
  ];
}

/** A run, again while it is disturbed and `repeats` allows; the calmest one counts, and says whether it was calm. */
async function calmly(measureOnce, { what, repeats }) {
  let calmest = null;
  for (let repeat = 0; repeat <= repeats; repeat += 1) {
    const result = await measureOnce();
    const disturbed = disturbances(result);
    say([`${what}: ${result.segments} segments`, `${result.lost} lost`, ...disturbed].join(', '));
    if (calmest === null || result.generatorLagP99Ms < calmest.generatorLagP99Ms) calmest = { ...result, disturbed: disturbed.length > 0 };
    // A server that answers with errors keeps the generator busy itself; another run would not be calmer.
    if (disturbed.length === 0) return { ...result, disturbed: false };
    if (result.errors > 0) break;
  }
  return calmest;
}

async function scenario(name, { options, cores, workplace }) {
  const plan = planOf(name, options, fileLimit());
  const servers = serversFor(name, {
    servers: await serversOf({ ...options, cores, workplace, cold: plan.load === 'idle' }),
    wanted: options.servers,
  });
  if (plan.readersWanted !== undefined) {
    say(`${name}: ${plan.readers} readers a channel instead of ${plan.readersWanted}: no more files may be open (see ulimit -n)`);
  }
  const runs = new Map(servers.map((server) => [server.name, []]));
  const urls = new Map();
  for (let rep = 0; rep < options.reps; rep += 1) {
    for (const server of rotated(servers, rep)) {
      const result = await calmly(() => measure({ server, plan, cores, urls }), {
        what: `${name} ${rep + 1}/${options.reps} ${server.name}`,
        // A ladder makes its steps again itself, and memory does not depend on when the one segment of that load was sent.
        repeats: plan.load === 'steady' ? options.repeats : 0,
      });
      runs.get(server.name).push(result);
    }
  }
  const where = { ...conditions(), cores: cores ?? 'not pinned', ...plan };
  return servers.map((server) =>
    lineOf({ scenario: name, server: { name: server.name, url: urls.get(server.name) }, runs, conditions: where }),
  );
}

/** Runs the scenarios and prints what came out. */
async function bench(options) {
  const cores = findCores();
  if (cores === null) say('Servers and generator share the cores of this machine: nothing is pinned.');
  const workplace = new Workplace();
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      killAll();
      workplace.close();
      process.exit(130);
    });
  }
  try {
    for (const name of options.scenarios) {
      const lines = await scenario(name, { options, cores, workplace });
      if (options.json) for (const line of lines) process.stdout.write(`${JSON.stringify(line)}\n`);
      else process.stdout.write(`\n${name}: ${JSON.stringify(planOf(name, options, fileLimit()))}\n${tableOf(lines)}\n`);
    }
    if (!options.json) process.stdout.write(`\nmedians of ${options.reps} runs; ${JSON.stringify({ ...conditions(), pinned: cores })}\n`);
  } finally {
    killAll();
    workplace.close();
  }
}

/** Does what the command line says. What goes wrong is told in a line; the exit code is then 2 for the command line, and 1 for the rest. */
export async function edge(argv) {
  let exitCode = 2;
  try {
    const options = parseOptions(argv);
    exitCode = 1;
    if (options.help) process.stdout.write(HELP);
    else await bench(options);
  } catch (error) {
    say(error.message);
    process.exitCode = exitCode;
  }
}
