import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { spawnOn } from './servers.mjs';

const GENERATOR = join(import.meta.dirname, 'generator.child.mjs');

/** Longest that any load may take, over the times that it was told. */
const SPARE_SECONDS = 90;

/** Paths of the channels of one run, with names that no other run has. */
function pathsOf({ url, run, channels }) {
  const base = new URL(url).pathname.replace(/\/*$/, '/');
  return Array.from({ length: channels }, (_, channel) => {
    const path = `${base}bench-${run.toString(36)}-${channel}`;
    return { manage: path, publish: path, subscribe: path };
  });
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
  const { url, pid, stop } = await server.start();
  urls.set(server.name, url);
  try {
    const { hostname, port } = new URL(url);
    const run = randomInt(2 ** 31);
    const target = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
    return await load(cores?.generator, {
      ...plan,
      run,
      target,
      pid,
      cores,
      stays: server.stays === true,
      paths: pathsOf({ url, run, channels: plan.channels }),
    });
  } finally {
    await stop();
  }
}
