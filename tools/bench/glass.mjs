import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { conditions, median } from './conditions.mjs';

const run = promisify(execFile);
const MAIN = join(import.meta.dirname, '..', '..', 'apps', 'runnel', 'dist', 'main.js');

/** One demo; its summary. */
async function demo({ processor, seconds, folder }) {
  const args = [MAIN, 'demo', '--json', '--seconds', String(seconds), '--processor', processor, '--output', join(folder, 'out.mp4')];
  const { stdout } = await run(process.execPath, args, { timeout: (seconds + 60) * 1000 });
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

/** Medians over the runs of one processor. */
function summarize(processor, summaries) {
  const of = (pick) => Number(median(summaries.map(pick)).toFixed(1));
  const hops = Object.keys(summaries[0].hopsMs);
  return {
    bench: 'glass',
    scenario: processor,
    runs: summaries.length,
    frames: summaries.reduce((sum, { framesIn }) => sum + framesIn, 0),
    dropped: summaries.reduce((sum, { framesDropped }) => sum + framesDropped, 0),
    latencyMs: { p50: of((s) => s.latencyMs.p50), p95: of((s) => s.latencyMs.p95), p99: of((s) => s.latencyMs.p99) },
    hopsP50Ms: Object.fromEntries(hops.map((hop) => [hop, of((s) => s.hopsMs[hop].p50)])),
    avOffsetMs: of((s) => s.avOffsetMs ?? 0),
  };
}

/** Glass-to-glass latency; runs of different processors are interleaved, so that a busy moment of the machine meets all of them. */
export async function glass(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      json: { type: 'boolean', default: false },
      runs: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '10' },
      processors: { type: 'string', default: 'passthrough,tint,blur' },
    },
  });
  const processors = values.processors.split(',');
  const where = conditions();
  const found = new Map(processors.map((processor) => [processor, []]));
  const folder = mkdtempSync(join(tmpdir(), 'runnel-bench-'));
  try {
    for (let n = 0; n < Number(values.runs); n += 1) {
      for (const processor of processors) found.get(processor).push(await demo({ processor, seconds: Number(values.seconds), folder }));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const results = processors.map((processor) => summarize(processor, found.get(processor)));
  if (values.json) {
    for (const result of results) process.stdout.write(`${JSON.stringify({ ...result, conditions: where })}\n`);
    return;
  }
  console.table(
    Object.fromEntries(results.map((r) => [r.scenario, { ...r.latencyMs, frames: r.frames, dropped: r.dropped, avOffset: r.avOffsetMs }])),
  );
  console.table(Object.fromEntries(results.map((r) => [r.scenario, r.hopsP50Ms])));
  process.stdout.write(`medians of ${values.runs} runs of ${values.seconds} s, in ms; ${JSON.stringify(where)}\n`);
}
