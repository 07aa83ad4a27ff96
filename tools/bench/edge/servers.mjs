import { spawn } from 'node:child_process';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pinned } from './pinning.mjs';
import { capability, certificate } from './variants.mjs';

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

/** A log line that says where a server listens: `{ url, opsUrl }`; null for any other line. */
function listening(line) {
  try {
    const { url, opsUrl = null } = JSON.parse(line);
    return typeof url === 'string' ? { url, opsUrl } : null;
  } catch {
    return null;
  }
}

/** What a process logs once it listens. What it says until then is passed on when it ends instead; later lines are let go. */
function addressOf(child) {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => child.kill('SIGKILL'), START_DEADLINE_MS);
    const said = [];
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (line) => {
        if (said.length < SAID_LINES) said.push(line);
        const found = listening(line);
        if (found === null) return;
        clearTimeout(deadline);
        resolve(found);
      });
    }
    child.once('exit', () => {
      clearTimeout(deadline);
      reject(new Error(`A server ended before it listened.\n${said.join('\n')}`));
    });
  });
}

/** Waits until an edge says that it has warmed up: it may be loaded from then on. */
async function ready(url) {
  const untilMs = performance.now() + START_DEADLINE_MS;
  while (performance.now() < untilMs) {
    if ((await probe(new URL('/readyz', url))) === 200) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  throw new Error('The edge did not become ready.');
}

/** The status of a GET; whatever its certificate. */
function probe(url) {
  return new Promise((resolve, reject) => {
    const { get } = url.protocol === 'https:' ? https : http;
    const request = get(url, { rejectUnauthorized: false, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('error', reject);
  });
}

async function started(core, args, env) {
  const child = spawnOn(core, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const { url, opsUrl } = await addressOf(child);
  if (env.EDGE_HOST !== undefined) await ready(url);
  return {
    url,
    opsUrl,
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

/** Paths of a channel where nobody needs a token. */
function openPaths(base, channel) {
  const path = `${base}${channel}`;
  return { manage: path, publish: path, subscribe: path };
}

/** The edge in other clothes, as far as they are wanted. */
async function variantsOf({ core, edgeEnvironment, tokens, tls, h2, settings, workplace }) {
  const variant = (name, env, rest = {}) => ({
    name,
    protocol: 'http1',
    pathsOf: openPaths,
    ...rest,
    start: () => started(core, [EDGE], { ...edgeEnvironment, ...env }),
  });
  const variants = [];
  if (tokens) {
    const { file, pathsOf } = await capability(workplace);
    variants.push(variant('edge-tokens', { EDGE_TOKEN_KEYS_FILE: file, EDGE_OPS_PORT: '0' }, { pathsOf, scraped: true }));
  }
  if (tls || h2) {
    const { cert, key } = await certificate(workplace);
    const env = { EDGE_TLS_CERT_FILE: cert, EDGE_TLS_KEY_FILE: key };
    if (tls) {
      const start = () => started(core, [NODE_HTTP, cert, key], {});
      variants.push(variant('edge-tls', env, { protocol: 'https1' }), {
        name: 'node-https',
        protocol: 'https1',
        pathsOf: openPaths,
        start,
      });
    }
    if (h2) variants.push(variant('edge-h2', env, { protocol: 'h2' }));
  }
  if (settings.length > 0) variants.push(variant('edge-with', Object.fromEntries(settings)));
  return variants;
}

/**
 * The servers of a run, by name: `start()` gives `{ url, opsUrl, pid, stop() }`; `pathsOf(base, channel)` is where a channel is managed, published and subscribed;
 * `scraped` is whether its metrics are read meanwhile. `cold`: the edge does not warm up by itself. The server given by URL is there already, and `stays`.
 */
export async function serversOf({ cores, url, pid, cold, workplace, ...wanted }) {
  const core = cores?.server;
  const edgeEnvironment = { ...EDGE_ENVIRONMENT, ...(cold && { EDGE_WARM_UP_MS: '0' }) };
  const plain = (name, args) => ({ name, protocol: 'http1', pathsOf: openPaths, start: () => started(core, args, {}) });
  const given = {
    name: 'url',
    protocol: url?.startsWith('https:') ? 'https1' : 'http1',
    pathsOf: openPaths,
    stays: true,
    start: () => Promise.resolve({ url, pid, stop: () => Promise.resolve() }),
  };
  return [
    { ...plain('edge', []), start: () => started(core, [EDGE], edgeEnvironment) },
    ...(await variantsOf({ core, edgeEnvironment, workplace, ...wanted })),
    plain('node-http', [NODE_HTTP]),
    plain('sink', [SINK]),
    ...(url === undefined ? [] : [given]),
  ];
}
