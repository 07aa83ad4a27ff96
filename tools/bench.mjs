/**
 * `npm run bench -- NAME [options]`: measures, prints a table and the conditions; with `--json` one JSON object a line.
 * Every number in a document comes from here.
 */
import { edge } from './bench/edge/edge.mjs';
import { glass } from './bench/glass.mjs';
import { hostile } from './bench/hostile/hostile.mjs';
import { soak } from './bench/soak/soak.mjs';

const BENCHES = { edge, glass, hostile, soak };
const [name, ...args] = process.argv.slice(2);
const bench = BENCHES[name];
if (bench === undefined || (args.includes('--help') && name === 'glass')) {
  process.stdout.write(`npm run bench -- NAME [--json] [--runs N] [--seconds N]

  glass    glass-to-glass latency of the solo stack, hop by hop: the demo's clip (640x360, 30 frames a second, 2-frame segments)
           at its real pace, once for each processor named in --processors (default: passthrough,tint,blur)
  edge     the trickle edge under load, beside a bare node:http relay and any other trickle server; see \`edge --help\`
  hostile  whether streams stutter while thousands of connections attack the edge; see \`hostile --help\`
  soak     a real edge under mixed load while its clients die at random, and its memory afterwards; see \`soak --help\`
`);
  process.exit(bench === undefined && !args.includes('--help') ? 2 : 0);
}
await bench(args);
