import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inspectClip } from '@runnel/media';
import type { DemoSummary } from './demo/summary.ts';
import { HOPS } from './demo/latency.ts';
import { runCli, startCli, type CliResult } from './testing/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'runnel-e2e-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('runnel demo', () => {
  const output = join(folder, 'out.mp4');
  let ran: CliResult;
  let summary: DemoSummary;

  beforeAll(async () => {
    ran = await runCli(['demo', '--seconds', '4', '--json', '--output', output]);
    summary = JSON.parse(ran.stdout.trim().split('\n').at(-1) ?? '') as DemoSummary;
  }, 90_000);

  it('ends 0 with one JSON line and leaves nothing running', () => {
    expect([ran.code, ran.leftBehind, ran.stderr]).toEqual([0, [], '']);
    expect(Object.keys(summary)).toEqual(
      expect.arrayContaining(['framesIn', 'framesOut', 'framesDropped', 'fps', 'latencyMs', 'hopsMs', 'avOffsetMs', 'output']),
    );
  });

  it('loses no frame: the burnt-in counter reads every number once, in order', async () => {
    expect(summary).toMatchObject({ framesIn: 120, framesOut: 120, framesDropped: 0 });
    const clip = await inspectClip(output);
    expect(clip).toMatchObject({
      frames: 120,
      ptsMonotonic: true,
      counters: { first: 0, last: 119, duplicates: 0, gaps: 0, misordered: 0, unreadable: 0 },
    });
  });

  it('keeps the sound within one frame of the picture', async () => {
    const clip = await inspectClip(output);
    expect(clip.hasAudio).toBe(true);
    expect(clip.avOffsetMs).not.toBeNull();
    expect(Math.abs(clip.avOffsetMs!)).toBeLessThan(40);
    expect(Math.abs(summary.avOffsetMs!)).toBeLessThan(40);
  });

  it('measures every hop of every frame', () => {
    expect(Object.keys(summary.hopsMs)).toEqual([...HOPS]);
    const sum = Object.values(summary.hopsMs).reduce((total, hop) => total + hop.p50, 0);
    expect(summary.latencyMs.p50).toBeGreaterThan(1);
    expect(Math.abs(sum - summary.latencyMs.p50)).toBeLessThan(0.5 * summary.latencyMs.p50 + 5);
    expect(summary.latencyMs.p99).toBeGreaterThanOrEqual(summary.latencyMs.p50);
  });
});

describe('runnel demo, interrupted', () => {
  it('finishes a playable file and leaves no process', async () => {
    const output = join(folder, 'cut.mp4');
    const cli = startCli(['demo', '--seconds', '30', '--output', output]);
    await cli.until(/streaming .* [3-9]\d frames/);
    cli.signal('SIGINT');
    const ran = await cli.finished;
    expect([ran.code, ran.leftBehind]).toEqual([130, []]);
    const clip = await inspectClip(output);
    expect(clip.frames).toBeGreaterThanOrEqual(30);
    expect(clip).toMatchObject({ ptsMonotonic: true, counters: { first: 0, duplicates: 0, gaps: 0, misordered: 0 } });
  }, 60_000);
});
