import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pinned } from './pinning.mjs';

const NODE_HTTP = join(import.meta.dirname, 'servers', 'node-http.child.mjs');
const SINK = join(import.meta.dirname, 'servers', 'sink.child.mjs');
const EDGE = join(import.meta.dirname, '..', '..', '..', 'apps', 'trickle-edge', 'dist', 'main.js');

/** Until a server listens, and until it has ended. */
const START_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 3000;

/** What the edge is told: any free port, channels made by whoever publishes, no tokens. */
const EDGE_ENVIRONMENT = { EDGE_HOST: '127.0.0.1', EDGE_PORT: '0', EDGE_CREATE: 'auto' };

/** Lines kept of a server that has not yet said that it listens. */
const SAID_LINES = 20;

const children = new Set();

/** Ends whatever a broken run has left, at once. */
export function killAll() {
  for (const child of children) child.kill('SIGKILL');
}

/** Starts a process on a core and keeps it in mind, so that nothing outlives the bench. */
export function spawnOn(core, args, options) {
  const [command, all] = pinned(core, process.execPath, args);
  const child = spawn(command, all, options);
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** The `url` of a log line, if it is one and has one. */
function urlIn(line) {
  try {
    return JSON.parse(line).url;
  } catch {
    return undefined;
  }
}

/** The URL that a process logs once it listens. What it says until then is passed on when it ends instead; later lines are let go. */
function urlOf(child) {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => child.kill('SIGKILL'), START_DEADLINE_MS);
    const said = [];
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (line) => {
        if (said.length < SAID_LINES) said.push(line);
        const url = urlIn(line);
        if (typeof url !== 'string') return;
        clearTimeout(deadline);
        resolve(url);
      });
    }
    child.once('exit', () => {
      clearTimeout(deadline);
      reject(new Error(`A server ended before it listened.\n${said.join('\n')}`));
    });
  });
}

async function started(core, args, env) {
  const child = spawnOn(core, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const url = await urlOf(child);
  return {
    url,
    pid: child.pid,
    stop: () =>
      new Promise((resolve) => {
        const deadline = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
        child.once('exit', () => {
          clearTimeout(deadline);
          resolve();
        });
        child.kill('SIGTERM');
      }),
  };
}

/** The servers of a run, by name: each `start()` gives `{ url, pid, stop() }`. The server given by URL is there already, and `stays`. */
export function serversOf({ cores, url, pid }) {
  const core = cores?.server;
  return [
    { name: 'edge', start: () => started(core, [EDGE], EDGE_ENVIRONMENT) },
    { name: 'node-http', start: () => started(core, [NODE_HTTP], {}) },
    { name: 'sink', start: () => started(core, [SINK], {}) },
    ...(url === undefined ? [] : [{ name: 'url', stays: true, start: () => Promise.resolve({ url, pid, stop: () => Promise.resolve() }) }]),
  ];
}
