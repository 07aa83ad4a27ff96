import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { spawnOn } from './servers.mjs';

const GENERATOR = join(import.meta.dirname, 'generator.child.mjs');

/** Longest that any load may take, over the times that it was told. */
const SPARE_SECONDS = 90;

/** How often the metrics of a server are read that has some: oftener than anybody does. */
const SCRAPE_MS = 5000;

/** Reads the metrics of a server from time to time; returns what ends it. */
function scrape(opsUrl) {
  const timer = setInterval(() => {
    fetch(new URL('/metrics', opsUrl))
      .then((response) => response.arrayBuffer())
      // The load tells whether the server is there.
      .catch(() => {});
  }, SCRAPE_MS);
  return () => clearInterval(timer);
}

async function load(core, plan) {
  const child = spawnOn(core, [GENERATOR], { stdio: ['pipe', 'pipe', 'inherit'] });
  const mostSeconds = plan.warmSeconds + plan.seconds * 2 * (plan.steps ?? 1) + 2 * (plan.settleSeconds ?? 0) + SPARE_SECONDS;
  const deadline = setTimeout(() => child.kill('SIGKILL'), mostSeconds * 1000);
  try {
    child.stdin.end(JSON.stringify(plan));
    const printed = await text(child.stdout);
    if (printed === '') throw new Error('The generator ended without a result.');
    return JSON.parse(printed);
  } finally {
    clearTimeout(deadline);
  }
}

/** One run of one server: starts it, loads it, stops it. Notes its URL in `urls`. */
export async function measure({ server, plan, cores, urls }) {
  const { url, opsUrl, pid, stop } = await server.start();
  urls.set(server.name, url);
  const endScrape = server.scraped && opsUrl !== null ? scrape(opsUrl) : () => {};
  try {
    const { hostname, port, pathname } = new URL(url);
    const run = randomInt(2 ** 31);
    const base = pathname.replace(/\/*$/, '/');
    // Names that no other run has: a server that stays knows the last ones still.
    const paths = Array.from({ length: plan.channels }, (_, channel) => server.pathsOf(base, `bench-${run.toString(36)}-${channel}`));
    const defaultPort = server.protocol === 'http1' ? 80 : 443;
    const target = { protocol: server.protocol, host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || defaultPort) };
    return await load(cores?.generator, { ...plan, run, target, pid, cores, stays: server.stays === true, paths });
  } finally {
    endScrape();
    await stop();
  }
}
