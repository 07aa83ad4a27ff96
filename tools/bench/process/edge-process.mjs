import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { pinned } from '../edge/pinning.mjs';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const EDGE = join(ROOT, 'apps', 'trickle-edge', 'dist', 'main.js');
const PROBE = pathToFileURL(join(import.meta.dirname, 'memory-probe.child.mjs')).href;

const START_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 10_000;
const PROBE_DEADLINE_MS = 10_000;

/** Lines of warnings that are kept word for word; all are counted. */
const KEPT_WARNINGS = 20;

const GRAVE = ['warn', 'error', 'fatal'];

/** A real edge in a process of its own, whose memory and log can be looked at. `url` ends with a slash. */
export class EdgeProcess {
  url = '';
  /** Log lines at warn and above: how many, and the first of them. Lines that are no JSON count too. */
  warnings = 0;
  firstWarnings = [];
  /** Exit code or signal, once it has ended. */
  ended = null;
  #child;
  #wake = [];

  constructor({ core, environment }) {
    const [command, args] = pinned(core, process.execPath, ['--expose-gc', '--import', PROBE, EDGE]);
    const env = { ...process.env, EDGE_HOST: '127.0.0.1', EDGE_PORT: '0', ...environment };
    this.#child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
    this.#child.once('exit', (code, signal) => {
      this.ended = signal ?? code;
      this.#tell({});
    });
    createInterface({ input: this.#child.stderr }).on('line', (line) => this.#read(line));
    // Nothing of a broken run outlives it.
    process.once('exit', () => this.#child.kill('SIGKILL'));
  }

  get pid() {
    return this.#child.pid;
  }

  /** Waits until it listens. */
  async start() {
    const { url } = await this.#next((line) => typeof line.url === 'string', START_DEADLINE_MS, 'listening');
    this.url = `${url.replace(/\/*$/, '')}/`;
    return this;
  }

  /** What it holds after a collection of garbage, bytes. */
  async memory() {
    this.#child.kill('SIGUSR2');
    return (await this.#next((line) => line.memory !== undefined, PROBE_DEADLINE_MS, 'memory')).memory;
  }

  async stop() {
    if (this.ended !== null) return;
    this.#child.kill('SIGTERM');
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), STOP_DEADLINE_MS);
    while (this.ended === null) await new Promise((resolve) => this.#wake.push(resolve));
    clearTimeout(deadline);
  }

  async #next(wanted, deadlineMs, what) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`The edge said nothing of ${what} in ${deadlineMs} ms.`)), deadlineMs);
    });
    try {
      for (;;) {
        const line = await Promise.race([new Promise((resolve) => this.#wake.push(resolve)), late]);
        if (this.ended !== null) throw new Error(['The edge has ended.', ...this.firstWarnings].join('\n'));
        if (wanted(line)) return line;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #read(text) {
    let line = null;
    try {
      line = JSON.parse(text);
    } catch {}
    if (line === null || GRAVE.includes(line.level)) {
      this.warnings += 1;
      if (this.firstWarnings.length < KEPT_WARNINGS) this.firstWarnings.push(text);
    }
    this.#tell(line ?? {});
  }

  #tell(line) {
    for (const wake of this.#wake.splice(0)) wake(line);
  }
}
