import { parseArgs } from 'node:util';
import { SCENARIOS, USUAL } from './scenarios.mjs';

/** What `--help` prints. */
export const HELP = `npm run bench -- edge [options]

Loads the edge, a bare node:http relay and, with --url, any other trickle server with the same traffic, in turns, and compares them.

  --scenario A,B     ${USUAL.join(', ')} (all of them when left out),
                     or generator: how much the generator itself can do
  --reps N           interleaved runs of every server (3)
  --seconds N        measured time of a run (10)       --warm N       time before it (2)
  --url URL          another trickle server, base path included, channels made by whoever publishes; you start it, and pin it to core --cores says
  --pid PID          its process, to measure CPU and memory
  --tokens --tls --h2   also the edge with capability URLs and metrics, with TLS (beside a bare node:https relay), with HTTP/2
  --with NAME=VALUE  also the edge with another setting of its environment; may be given several times
  --servers A,B      which of them to load: edge, edge-tokens, edge-tls, edge-h2, edge-with, node-http, node-https, url
  --json             one JSON object a line, one line a scenario and server
  --channels N --readers N --rate N --bytes N --writes N    other figures than the scenario's (rate: segments a second of one channel)
  --settle N         idle: seconds of rest before each look at the memory (5)
  --from N --step-seconds N --steps N                       overload: first rate (4000 a second in all), length (3) and number of steps (30)
  --help

On Linux every server runs on one core and the generator on another. A run in which the generator was late (p99 over 4 ms) is made again, --repeats N (2) times at most.
`;

const NUMBERS = {
  reps: 3,
  seconds: 10,
  warm: 2,
  pid: null,
  channels: undefined,
  readers: undefined,
  rate: undefined,
  bytes: undefined,
  writes: undefined,
  repeats: 2,
  settle: 5,
  from: 4000,
  'step-seconds': 3,
  steps: 30,
};

/** Reads the command line. Throws on what is unknown or out of range, with a message for people. */
export function parseOptions(args) {
  const text = (name) => [name, { type: 'string' }];
  const flag = (name) => [name, { type: 'boolean', default: false }];
  const { values } = parseArgs({
    args,
    options: Object.fromEntries([
      ...Object.keys(NUMBERS).map(text),
      ...['scenario', 'url', 'servers'].map(text),
      ...['json', 'help', 'tokens', 'tls', 'h2'].map(flag),
      ['with', { type: 'string', multiple: true, default: [] }],
    ]),
  });
  const numbers = Object.fromEntries(
    Object.entries(NUMBERS).map(([name, normal]) => {
      if (values[name] === undefined) return [name, normal];
      const value = Number(values[name]);
      if (!(value > 0 || (value === 0 && name === 'repeats'))) throw new Error(`--${name} wants a number above 0.`);
      return [name, value];
    }),
  );
  const scenarios = values.scenario?.split(',') ?? USUAL;
  const unknown = scenarios.filter((name) => SCENARIOS[name] === undefined);
  if (unknown.length > 0) throw new Error(`No scenario ${unknown.join(', ')}: there are ${Object.keys(SCENARIOS).join(', ')}.`);
  if (numbers.pid !== null && values.url === undefined) throw new Error('--pid belongs to --url.');
  const { warm, rate, 'step-seconds': stepSeconds, ...rest } = numbers;
  return {
    ...rest,
    warmSeconds: warm,
    perSecond: rate,
    stepSeconds,
    scenarios,
    url: values.url === undefined ? undefined : new URL(values.url.endsWith('/') ? values.url : `${values.url}/`).href,
    servers: values.servers?.split(',') ?? null,
    tokens: values.tokens,
    tls: values.tls,
    h2: values.h2,
    settings: values.with.map((setting) => setting.split(/=(.*)/s).slice(0, 2)),
    json: values.json,
    help: values.help,
  };
}
