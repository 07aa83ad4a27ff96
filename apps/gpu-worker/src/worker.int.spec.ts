import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BUS, type WorkerEvent } from '@runnel/schemas';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { concat, FRAME_TICKS, lumaOf, makeSource, readBack } from './testing/source.ts';
import { control, listen, openStage, play, publish, until, type Stage } from './testing/stage.ts';

const SESSION = 'ses_aaaaaaaaaaaaaaaaaaaa';
const OTHER = 'ses_bbbbbbbbbbbbbbbbbbbb';
const THIRD = 'ses_cccccccccccccccccccc';
const OWN = [
  new URL('./testing/threshold.mjs', import.meta.url),
  new URL('./testing/crash.mjs', import.meta.url),
  new URL('./testing/quieter.mjs', import.meta.url),
  new URL('./testing/slow-load.mjs', import.meta.url),
].map((url) => fileURLToPath(url));

/** Frame paths that are children of this process: their pids. Without /proc, `ps` tells. */
function children(): string[] {
  if (process.platform !== 'linux') {
    const { stdout } = spawnSync('ps', ['-A', '-o', 'ppid=,pid=,args='], { encoding: 'utf8' });
    return stdout.split('\n').filter((line) => line.trim().startsWith(`${process.pid} `) && line.includes('path.child'));
  }
  return readdirSync('/proc').filter((pid) => {
    try {
      const parent = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[1];
      return parent === String(process.pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('path.child');
    } catch {
      return false; // Not a process, or one that has ended meanwhile.
    }
  });
}

/** Root of the mean square of the samples in the middle. */
function loudness(samples: Float32Array): number {
  const middle = samples.subarray(samples.length / 4, (3 * samples.length) / 4);
  return Math.sqrt(middle.reduce((sum, sample) => sum + sample * sample, 0) / middle.length);
}

describe('the worker', () => {
  let stage: Stage;
  let env: Record<string, string> = {};
  beforeEach(async () => {
    stage = await openStage(env);
  });
  afterEach(async () => {
    await stage.close();
    env = {};
    expect(children()).toEqual([]);
  });

  it('takes a real stream in and gives every frame back, processed, with its PTS and its sound', async () => {
    const urls = stage.channels(SESSION);
    const events: WorkerEvent[] = [];
    await stage.start({ sessionId: SESSION, processor: 'grayscale', urls, trace: true });
    const listening = listen(urls.events, events);
    const playing = play(urls.videoOut);
    await publish(urls.videoIn, await makeSource(90), { perSegment: 3, paceMs: 10 });
    const { frames, audio } = await readBack(await playing);
    await listening;

    expect(frames.map(({ pts }) => pts)).toEqual(Array.from({ length: 90 }, (_, n) => 90_000 + n * FRAME_TICKS));
    for (const [n, { y, u, v }] of frames.entries()) {
      expect(Math.abs(y - lumaOf(n))).toBeLessThanOrEqual(4);
      expect(Math.abs(u - 128)).toBeLessThanOrEqual(2);
      expect(Math.abs(v - 128)).toBeLessThanOrEqual(2);
    }
    expect(audio.length).toBeGreaterThan(130);
    await until(() => stage.ended.length > 0, 'the end is told');
    expect(stage.ended).toEqual([{ sessionId: SESSION, reason: 'input_ended', detail: expect.any(String) }]);
    expect(events[0]).toMatchObject({ type: 'stream_started' });
    expect(events.at(-1)).toMatchObject({ type: 'stream_stopped', reason: 'input_ended' });
    const last = events.findLast((event) => event.type === 'heartbeat');
    expect(last).toMatchObject({ stats: { framesIn: 90, framesOut: 90, framesDropped: 0 } });
    expect(events.flatMap((event) => (event.type === 'frames' ? event.frames : [])).length).toBe(90);
  });

  it('changes parameters in mid-stream from a known frame on', async () => {
    const urls = stage.channels(SESSION);
    const events: WorkerEvent[] = [];
    await stage.start({ sessionId: SESSION, processor: 'tint', params: { color: '#ff0000', amount: 1 }, urls });
    const listening = listen(urls.events, events);
    const playing = play(urls.videoOut);
    const source = await makeSource(90);
    const publishing = publish(urls.videoIn, source, { perSegment: 3, paceMs: 20 });
    await sleep(700);
    await control(urls.control, '{"keep":"alive"}{"color":"#0000ff","runnel":{"revision":7}}');
    await publishing;
    const { frames } = await readBack(await playing);
    await listening;
    const applied = events.find((event) => event.type === 'params_applied' && event.revision === 7);
    if (applied?.type !== 'params_applied') throw new Error('not applied');
    expect(applied.params).toEqual({ color: '#0000ff', amount: 1 });
    const blue = frames.findIndex(({ u }) => u > 200);
    expect(blue).toBeGreaterThan(5);
    expect(blue).toBeLessThan(85);
    expect(applied.frame).toBe(blue);
    expect(applied.pts).toBe(frames[blue].pts);
    expect(frames.slice(blue).every(({ u }) => u > 200)).toBe(true);
  });

  it('refuses what it cannot run, with the slot free again', async () => {
    const urls = stage.channels(SESSION);
    const start = (processor: string, params = {}) => stage.start({ sessionId: SESSION, processor, params, urls });
    await expect(start('nonsense')).rejects.toMatchObject({ code: 'unknown_processor' });
    await expect(start('blur', { radius: -1 })).rejects.toMatchObject({ code: 'invalid_params' });
    await expect(start('onnx', { model: '/nowhere.onnx' })).rejects.toMatchObject({
      code: 'model_failed',
      message: "Model '/nowhere.onnx' cannot be used: there is no such file.",
    });
    await until(() => stage.announcements.at(-1)?.slotsFree === 2, 'both slots are free');
  });

  it('holds as many sessions as it has slots, and says how many are left', async () => {
    for (const sessionId of [SESSION, OTHER]) await stage.start({ sessionId, processor: 'passthrough', urls: stage.channels(sessionId) });
    await until(() => stage.announcements.at(-1)?.slotsFree === 0, 'no slot is free');
    await expect(stage.start({ sessionId: THIRD, processor: 'passthrough', urls: stage.channels(THIRD) })).rejects.toMatchObject({
      code: 'no_capacity',
    });
    const stop = (sessionId: string) =>
      stage.bus.request(BUS.workerStop, { workerId: stage.workerId }, { sessionId, reason: 'stopped' }, { deadlineMs: 10_000 });
    expect(await stop(SESSION)).toEqual({ stopped: true });
    expect(await stop(SESSION)).toEqual({ stopped: false });
    await until(() => stage.announcements.at(-1)?.slotsFree === 1, 'the slot is free');
    expect(stage.ended).toContainEqual({ sessionId: SESSION, reason: 'stopped', detail: expect.any(String) });
    expect(children()).toHaveLength(1);
    await stage.worker.close();
    expect(children()).toEqual([]);
    await until(() => stage.ended.length > 1, 'both ends are told');
    expect(stage.ended).toContainEqual({ sessionId: OTHER, reason: 'shutdown', detail: expect.any(String) });
  });

  it('ends a session whose input is no video', async () => {
    const urls = stage.channels(SESSION);
    await stage.start({ sessionId: SESSION, processor: 'passthrough', urls });
    const noise = Array.from({ length: 20 }, () => Uint8Array.from({ length: 5000 }, () => Math.floor(Math.random() * 256)));
    await publish(urls.videoIn, noise, { perSegment: 1, paceMs: 5 });
    await until(() => stage.ended.length > 0, 'the session has ended');
    expect(stage.ended[0]).toMatchObject({ reason: 'broken_input' });
  });

  describe('with processors of one’s own', () => {
    beforeEach(async () => {
      await stage.close();
      env = { WORKER_PROCESSORS: OWN.join(', ') };
      stage = await openStage(env);
    });

    it('offers them with their schema and runs them', async () => {
      await until(() => stage.announcements.length > 0, 'the worker is there');
      expect(stage.announcements[0].processors).toContainEqual({
        processor: 'threshold',
        description: 'Black and white, nothing between.',
        paramsSchema: expect.objectContaining({ type: 'object', properties: { level: expect.objectContaining({ maximum: 255 }) } }),
      });
      const urls = stage.channels(SESSION);
      await stage.start({ sessionId: SESSION, processor: 'threshold', params: { level: 100 }, urls });
      const playing = play(urls.videoOut);
      await publish(urls.videoIn, await makeSource(30), { perSegment: 3, paceMs: 10 });
      const { frames } = await readBack(await playing);
      expect(frames.map(({ y }) => y > 125)).toEqual(Array.from({ length: 30 }, (_, n) => lumaOf(n) >= 100));
    });

    it('gives them the sound as well, and keeps it in sync', async () => {
      const urls = stage.channels(SESSION);
      await stage.start({ sessionId: SESSION, processor: 'quieter', urls });
      const playing = play(urls.videoOut);
      const source = await makeSource(60);
      await publish(urls.videoIn, source, { perSegment: 3, paceMs: 10 });
      const before = await readBack(concat(source));
      const after = await readBack(await playing);
      expect(after.frames).toHaveLength(60);
      expect(loudness(after.sound) / loudness(before.sound)).toBeCloseTo(0.5, 1);
      // One frame of AAC is 21 ms; sound and picture stay together within 40.
      expect(Math.abs(after.audio[0].pts - before.audio[0].pts)).toBeLessThanOrEqual(3_600);
      expect(Math.abs(after.audio.length - before.audio.length)).toBeLessThanOrEqual(3);
    });

    it('gives up a processor that still loads when its session is stopped, or all are', async () => {
      const starting = expect(stage.start({ sessionId: SESSION, processor: 'slow-load', urls: stage.channels(SESSION) })).rejects;
      await until(() => children().length === 1, 'its process is there');
      const stop = { sessionId: SESSION, reason: 'stopped' as const };
      const stopped = await stage.bus.request(BUS.workerStop, { workerId: stage.workerId }, stop, { deadlineMs: 5_000 });
      expect(stopped).toEqual({ stopped: true });
      await starting.toMatchObject({ code: 'session_ended' });
      const other = expect(stage.start({ sessionId: OTHER, processor: 'slow-load', urls: stage.channels(OTHER) })).rejects;
      await until(() => children().length === 1, 'the next process is there');
      await stage.worker.close();
      expect(children()).toEqual([]);
      await other.toMatchObject({ code: 'session_ended' });
    });

    it('outlives the death of a session’s process, and tells it', async () => {
      const urls = stage.channels(SESSION);
      await stage.start({ sessionId: SESSION, processor: 'crash', urls });
      const playing = play(urls.videoOut);
      await publish(urls.videoIn, await makeSource(30), { perSegment: 3, paceMs: 10 });
      await playing;
      await until(() => stage.ended.length > 0, 'the session has ended');
      expect(stage.ended[0]).toMatchObject({ sessionId: SESSION, reason: 'worker_lost', detail: expect.stringContaining('SIGSEGV') });
      await until(() => stage.announcements.at(-1)?.slotsFree === 2, 'the slot is free');
    });
  });

  it('does not start with a module that is no processor', async () => {
    await expect(openStage({ WORKER_PROCESSORS: './nope.js' })).rejects.toMatchObject({ code: 'invalid_config' });
    await expect(openStage({ WORKER_PROCESSORS: 'zod' })).rejects.toMatchObject({ code: 'invalid_config' });
  });
});
