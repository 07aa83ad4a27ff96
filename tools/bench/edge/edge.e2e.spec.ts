import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';

const BENCH = join(import.meta.dirname, '..', '..', 'bench.mjs');
const SHORT = [
  '--reps',
  '1',
  '--repeats',
  '0',
  '--seconds',
  '0.6',
  '--warm',
  '0.2',
  '--settle',
  '0.3',
  '--channels',
  '3',
  '--readers',
  '2',
];

/** Nothing is measured here, so the edge need not be warm. */
const ENVIRONMENT = { ...process.env, EDGE_WARM_UP_MS: '0' };

function bench(...args: string[]) {
  return spawn(process.execPath, [BENCH, 'edge', ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: ENVIRONMENT });
}

/** What the bench prints for a run that is as small as it can be. */
async function run(...args: string[]) {
  const child = bench(...SHORT, ...args);
  const [printed, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { printed, said };
}

async function lines(...args: string[]) {
  const { printed, said } = await run('--json', ...args);
  if (printed === '') throw new Error(said);
  return printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown> & { scenario: string; server: string });
}

const delays = { p50: expect.any(Number), p99: expect.any(Number) };

/** Processes that have the given setting in their environment: a bench and all that it started. */
function alive(marker: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(marker);
    } catch {
      return false;
    }
  });
}

describe('npm run bench -- edge', () => {
  it('prints what it measured of both servers in every scenario, with nothing lost, corrupt or failed', async () => {
    // The rate that is carried says nothing on a busy machine: that it is looked for is the claim.
    const found = await lines('--from', '60', '--steps', '1', '--step-seconds', '0.5');
    const scenarios = ['real-time', 'fan-out', 'bulk', 'idle', 'overload'];
    expect(found.map(({ scenario, server }) => `${scenario} ${server}`)).toEqual(
      scenarios.flatMap((scenario) => [`${scenario} edge`, `${scenario} node-http`]),
    );
    const measured = process.platform === 'win32' ? null : expect.any(Number);
    for (const line of found) {
      const isIdle = line.scenario === 'idle';
      expect(line).toMatchObject({
        bench: 'edge',
        url: expect.stringMatching(/^http:/),
        cpuMsPer1000Segments: isIdle ? null : measured,
        cpuMsPerGB: isIdle ? null : measured,
        firstByteMs: delays,
        lastByteMs: delays,
        rssMB: measured,
        segments: expect.any(Number),
        lost: 0,
        corrupt: 0,
        errors: 0,
        p99RatioToNodeHttp: expect.any(Number),
        conditions: expect.objectContaining({ node: process.version, commit: expect.any(String), cpu: expect.any(String), channels: 3 }),
      });
      expect(line['segments']).toBeGreaterThan(0);
      expect(line).toHaveProperty('cpuRatioToNodeHttp');
      if (isIdle) expect(line).toMatchObject({ waitingReaders: 6, memoryPerReaderKB: measured, memoryRatioToNodeHttp: expect.anything() });
      if (line.scenario === 'overload') expect(line).toMatchObject({ maxSegmentsPerSecond: expect.any(Number) });
    }
  }, 60_000);

  it('loads a server by its URL beside them, and compares both with it', async () => {
    const relay = spawn(process.execPath, [join(import.meta.dirname, 'servers', 'node-http.child.mjs')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const url = await new Promise<string>((resolve) => {
        relay.stdout.once('data', (line: Buffer) => resolve((JSON.parse(line.toString()) as { url: string }).url));
      });
      const found = await lines('--scenario', 'real-time', '--url', url, '--pid', String(relay.pid), '--servers', 'node-http,url');
      expect(found.map(({ server }) => server)).toEqual(['node-http', 'url']);
      for (const line of found) expect(line).toMatchObject({ lost: 0, corrupt: 0, p99RatioToUrl: expect.any(Number) });
      expect(found[1]).toMatchObject({ url, p99RatioToUrl: 1 });
    } finally {
      relay.kill();
    }
  }, 30_000);

  it('loads the edge with tokens, over TLS, over HTTP/2 and with another setting, and compares it with the plain one', async () => {
    const found = await lines('--scenario', 'fan-out', '--tokens', '--tls', '--h2', '--with', 'EDGE_WINDOW_MS=2000');
    const [edge, ...others] = found;
    expect(found.map(({ server }) => server)).toEqual([
      'edge',
      'edge-tokens',
      'edge-tls',
      'node-https',
      'edge-h2',
      'edge-with',
      'node-http',
    ]);
    for (const line of found) expect(line).toMatchObject({ segments: edge['segments'], lost: 0, corrupt: 0, errors: 0 });
    for (const line of others.filter(({ server }) => server.startsWith('edge-')))
      expect(line).toMatchObject({ p99RatioToEdge: expect.any(Number) });
    for (const line of others.filter(({ server }) => /tls|h2/.test(server)))
      expect(line).toMatchObject({ url: expect.stringMatching(/^https:/), p99RatioToNodeHttps: expect.any(Number) });
  }, 60_000);

  it('prints a table for people', async () => {
    const { printed } = await run('--scenario', 'real-time', '--servers', 'node-http');
    expect(printed).toMatch(/^server +CPU ms\/1k .*\nnode-http +[\d.]+ /m);
    expect(printed).toContain(process.version);
  }, 30_000);

  it('says what there is, and what is wrong with a command, without a stack', async () => {
    expect((await run('--help')).printed).toMatch(/--scenario .*real-time[^]*--url/);
    const { printed, said } = await run('--scenario', 'fast');
    expect(printed).toBe('');
    expect(said).toMatch(/^No scenario fast.*\n$/);
  }, 30_000);

  it('ends all that it started when it is interrupted', async () => {
    if (process.platform !== 'linux') {
      process.stderr.write('not checked: processes are found by /proc\n');
      return;
    }
    const marker = `RUNNEL_BENCH_TEST=${process.pid}-${Date.now()}`;
    const [name, value] = marker.split('=') as [string, string];
    const child = spawn(process.execPath, [BENCH, 'edge', ...SHORT, '--seconds', '30', '--servers', 'node-http'], {
      stdio: 'ignore',
      env: { ...process.env, [name]: value },
    });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    const until = Date.now() + 15_000;
    const wait = () => new Promise((resolve) => setTimeout(resolve, 50));
    try {
      while (alive(marker).length < 3 && Date.now() < until) await wait();
      expect(alive(marker).length).toBeGreaterThanOrEqual(3);
      child.kill('SIGINT');
      expect(await exited).toBe(130);
      while (alive(marker).length > 0 && Date.now() < until) await wait();
      expect(alive(marker)).toEqual([]);
    } finally {
      for (const pid of alive(marker)) process.kill(Number(pid), 'SIGKILL');
    }
  }, 40_000);
});
