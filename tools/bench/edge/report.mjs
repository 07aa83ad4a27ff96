import { middle, ratio, round } from './stats.mjs';

/** The median of a figure over reps; null where no rep has it. */
function of(reps, pick, digits = 3) {
  return round(middle(reps.map(pick)), digits);
}

const sum = (reps, pick) => reps.reduce((total, rep) => total + pick(rep), 0);
const cpu = (rep) => rep.cpuMsPer1000Segments;
const p99 = (rep) => rep.lastByteMs.p99;

/** How a server stands to another in the same reps; `of` names the other in the fields. */
function ratiosTo(reps, base, name) {
  const all = {
    [`cpuRatioTo${name}`]: ratio(reps, base, cpu),
    [`p99RatioTo${name}`]: ratio(reps, base, p99),
    [`memoryRatioTo${name}`]: ratio(reps, base, (rep) => rep.memoryPerReaderKB ?? null),
    [`rateRatioTo${name}`]: ratio(reps, base, (rep) => rep.maxSegmentsPerSecond ?? null),
  };
  const known = Object.entries(all).filter(([field, found]) => found !== null || /^(?:cpu|p99)/.test(field));
  return {
    ...Object.fromEntries(known.map(([field, found]) => [field, found?.median ?? null])),
    ranges: Object.fromEntries(known.flatMap(([field, found]) => (found === null ? [] : [[field, [found.min, found.max]]]))),
  };
}

/**
 * One line of the result: what a server did in a scenario. Figures are medians over the reps, counts are sums; ratios are medians of the ratios within a rep.
 * `runs`: for each server its reps in order; `server`: `{ name, url }`.
 */
export function lineOf({ scenario, server, runs, conditions }) {
  const reps = runs.get(server.name);
  const { ranges: toNodeHttp, ...nodeHttp } = ratiosTo(reps, runs.get('node-http') ?? [], 'NodeHttp');
  const { ranges: toUrl, ...url } = runs.has('url') ? ratiosTo(reps, runs.get('url'), 'Url') : { ranges: {} };
  const { ranges: toEdge, ...edge } =
    server.name.startsWith('edge-') && runs.has('edge') ? ratiosTo(reps, runs.get('edge'), 'Edge') : { ranges: {} };
  const { ranges: toHttps, ...https } =
    /tls$|h2$|https$/.test(server.name) && runs.has('node-https') ? ratiosTo(reps, runs.get('node-https'), 'NodeHttps') : { ranges: {} };
  const optional = (field, digits) => (reps[0][field] === undefined ? {} : { [field]: of(reps, (rep) => rep[field], digits) });
  return {
    bench: 'edge',
    scenario,
    server: server.name,
    url: server.url,
    cpuMsPer1000Segments: of(reps, cpu, 2),
    cpuMsPerGB: of(reps, (rep) => rep.cpuMsPerGB, 1),
    firstByteMs: { p50: of(reps, (rep) => rep.firstByteMs.p50), p99: of(reps, (rep) => rep.firstByteMs.p99) },
    lastByteMs: { p50: of(reps, (rep) => rep.lastByteMs.p50), p99: of(reps, p99) },
    rssMB: of(reps, (rep) => rep.rssMB, 1),
    segments: sum(reps, (rep) => rep.segments),
    lost: sum(reps, (rep) => rep.lost),
    corrupt: sum(reps, (rep) => rep.corrupt),
    errors: sum(reps, (rep) => rep.errors),
    ...nodeHttp,
    ...url,
    ...edge,
    ...https,
    ...optional('memoryPerReaderKB', 3),
    ...optional('waitingReaders', 0),
    ...optional('baseRssMB', 1),
    ...optional('maxSegmentsPerSecond', 0),
    serverCore: of(reps, (rep) => rep.serverCore),
    generatorCore: of(reps, (rep) => rep.generatorCore),
    othersOnServerCore: of(reps, (rep) => rep.othersOnServerCore),
    othersOnGeneratorCore: of(reps, (rep) => rep.othersOnGeneratorCore),
    generatorLagP99Ms: of(reps, (rep) => rep.generatorLagP99Ms),
    disturbedReps: reps.filter((rep) => rep.disturbed).length,
    ranges: { ...toNodeHttp, ...toUrl, ...toEdge, ...toHttps },
    reps,
    conditions,
  };
}

/** The columns of the table for people. */
const COLUMNS = [
  ['server', (line) => line.server],
  ['CPU ms/1k', (line) => line.cpuMsPer1000Segments],
  ['CPU ms/GB', (line) => line.cpuMsPerGB],
  ['first p50/p99 ms', (line) => pair(line.firstByteMs)],
  ['last p50/p99 ms', (line) => pair(line.lastByteMs)],
  ['RSS MB', (line) => line.rssMB],
  ['KB/reader', (line) => line.memoryPerReaderKB],
  ['max seg/s', (line) => line.maxSegmentsPerSecond],
  ['segments', (line) => line.segments],
  ['lost', (line) => line.lost],
  ['corrupt', (line) => line.corrupt],
  ['errors', (line) => line.errors],
  ['core', (line) => line.serverCore],
  ['gen core', (line) => line.generatorCore],
  ['others', (line) => line.othersOnServerCore],
  ['gen lag ms', (line) => line.generatorLagP99Ms],
  ...ratioColumns('node-http', 'NodeHttp'),
  ...ratioColumns('url', 'Url'),
  ...ratioColumns('edge', 'Edge'),
  ...ratioColumns('node-https', 'NodeHttps'),
];

function ratioColumns(name, field) {
  return [
    ['CPU', 'cpuRatioTo'],
    ['p99', 'p99RatioTo'],
    ['memory', 'memoryRatioTo'],
    ['rate', 'rateRatioTo'],
  ].map(([what, prefix]) => [`${what}/${name}`, (line) => ranged(line[`${prefix}${field}`], line.ranges[`${prefix}${field}`])]);
}

function pair({ p50, p99 }) {
  return p50 === null ? null : `${round(p50, 2)} / ${round(p99, 2)}`;
}

function ranged(value, range) {
  return value === null || value === undefined ? null : `${round(value, 2)} [${round(range[0], 2)}-${round(range[1], 2)}]`;
}

/** The lines of one scenario as a table; columns that say nothing are left out. */
export function tableOf(lines) {
  const columns = COLUMNS.filter(([, pick]) => lines.some((line) => pick(line) !== null && pick(line) !== undefined));
  const rows = [columns.map(([title]) => title), ...lines.map((line) => columns.map(([, pick]) => String(pick(line) ?? '')))];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
