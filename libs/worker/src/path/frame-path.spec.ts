import { describe, expect, it } from '@jest/globals';
import { TsDemuxer, TsMuxer, type TsProgram } from '@runnel/media-core';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { grayscale } from '../processors/grayscale.ts';
import { passthrough } from '../processors/passthrough.ts';
import { defineProcessor } from '../sdk/definition.ts';
import { FrameProcessor } from '../sdk/processor.ts';
import type { VideoFrame } from '../sdk/video-frame.ts';
import { FRAME_TICKS, runThrough, startPath, takeApart, toyStream } from '../testing/path-bench.ts';
import { toyUnit } from '../testing/toy-codec.ts';

const none = z.strictObject({});

/** A processor out of one function. */
function processorOf(processVideo: (frame: VideoFrame) => VideoFrame | null | Promise<VideoFrame | null>) {
  class Given extends FrameProcessor<typeof none> {
    override processVideo(frame: VideoFrame) {
      return processVideo(frame);
    }
  }
  return defineProcessor({ name: 'given', description: 'A test.', params: none, create: () => new Given() });
}

describe('FramePath', () => {
  it('sends every frame of a burst that arrives at once, in order, with its PTS', async () => {
    const { frames, done, driver } = await runThrough(toyStream({ frames: 150 }), { definition: passthrough });
    expect(frames.map(({ pts }) => pts)).toEqual(Array.from({ length: 150 }, (_, n) => n * FRAME_TICKS));
    expect(frames.map(({ flat }) => flat.y)).toEqual(Array.from({ length: 150 }, (_, n) => 16 + (n % 200)));
    expect(done).toEqual({ kind: 'done', reason: 'input_ended', detail: expect.any(String) });
    expect(driver.lent()).toBe(0);
    expect(driver.open()).toBe(0);
  });

  it('puts at most segmentFrames frames into a segment, and a keyframe only at its start', async () => {
    const { frames, segments } = await runThrough(toyStream({ frames: 40 }), {
      definition: passthrough,
      output: { segmentFrames: 3, gopFrames: 10 },
    });
    const sizes = segments.map((_, index) => frames.filter(({ segment }) => segment === index).length);
    expect(sizes).toEqual([3, 3, 3, 1, 3, 3, 3, 1, 3, 3, 3, 1, 3, 3, 3, 1]);
    expect(frames.flatMap(({ keyframe }, n) => (keyframe ? [n] : []))).toEqual([0, 10, 20, 30]);
    for (const { keyframe, segment, pts } of frames) if (keyframe) expect(frames.find((frame) => frame.segment === segment)?.pts).toBe(pts);
  });

  it('cuts a segment with its last frame, before the next one comes', async () => {
    const { path, outputs, clock } = await startPath({ definition: passthrough });
    const chunks = toyStream({ frames: 3 });
    for (const chunk of chunks.slice(0, 2)) await path.push(chunk, clock.nowMs());
    await until(() => outputs.some(({ kind }) => kind === 'cut'));
    expect(outputs.filter(({ kind }) => kind === 'bytes' || kind === 'cut').map(({ kind }) => kind)).toEqual(['bytes', 'bytes', 'cut']);
    await path.stop();
  });

  it('changes the picture, not the decoder memory', async () => {
    const { frames } = await runThrough(toyStream({ frames: 4 }), { definition: grayscale });
    expect(frames.map(({ flat }) => [flat.u, flat.v])).toEqual(Array.from({ length: 4 }, () => [128, 128]));
  });

  it('copies audio between the frames with its PTS untouched', async () => {
    const { units } = await runThrough(toyStream({ frames: 30, audio: true }), { definition: passthrough });
    const audio = units.filter(({ kind }) => kind === 'audio');
    expect(audio.map(({ pts }) => pts)).toEqual(Array.from({ length: 30 }, (_, n) => n * FRAME_TICKS + 10));
    expect(audio.map(({ data }) => data[1])).toEqual(Array.from({ length: 30 }, (_, n) => n));
    const times = units.map(({ pts }) => pts);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('names the audio of its program with the first picture, before any audio has come', async () => {
    const muxer = new TsMuxer({ video: 'h264', audio: { codec: 'opus', channels: 2 } });
    const picture = toyUnit({ width: 32, height: 18, y: 100, u: 90, v: 160 }, { pts: 0, keyframe: true });
    const { segments } = await runThrough([muxer.segmentStart(), muxer.video(picture)], { definition: passthrough });
    const programs: TsProgram[] = [];
    new TsDemuxer({ onUnit: () => undefined, onProgram: (program) => programs.push(program) }).push(segments[0]);
    expect(programs).toHaveLength(1);
    expect(programs[0].streams).toEqual([
      expect.objectContaining({ kind: 'video', codec: 'h264' }),
      expect.objectContaining({ kind: 'audio', codec: 'opus', channels: 2 }),
    ]);
  });

  it('drops what a slow processor cannot do, counts it, and stays near the live edge', async () => {
    const lags: number[] = [];
    let startedMs = 0;
    const slow = processorOf(async (frame) => {
      lags.push(performance.now() - startedMs - frame.pts / 90);
      await sleep(100);
      return frame;
    });
    const { path, outputs, clock } = await startPath({ definition: slow });
    startedMs = performance.now();
    for (const [n, chunk] of toyStream({ frames: 60 }).entries()) {
      await sleep(Math.max(0, startedMs + (n * FRAME_TICKS) / 90 - performance.now()));
      await path.push(chunk, clock.nowMs());
    }
    await path.endOfInput();
    await path.done;
    const { frames, events } = takeApart(outputs);
    const stats = events.findLast(({ type }) => type === 'heartbeat');
    expect(frames.length).toBeGreaterThan(10);
    expect(frames.length).toBeLessThan(30);
    expect(Math.max(...lags.slice(3))).toBeLessThan(400);
    expect(stats).toMatchObject({ stats: { framesIn: 60, framesOut: frames.length, framesDropped: 60 - frames.length } });
  });

  it('brings parameters in between two frames and says with which one they begin', async () => {
    const { path, outputs, clock } = await startPath({ definition: grayscale, params: { amount: 0 } });
    const chunks = toyStream({ frames: 20, flat: { u: 28 } });
    for (const chunk of chunks.slice(0, 10)) await path.push(chunk, clock.nowMs());
    await until(() => takeApartSoFar(outputs) === 10);
    path.updateParams({ revision: 1, values: { amount: 2 } });
    path.updateParams({ revision: 2, values: { nonsense: true } });
    path.updateParams({ revision: 3, values: { amount: 1 } });
    for (const chunk of chunks.slice(10)) await path.push(chunk, clock.nowMs());
    await path.endOfInput();
    await path.done;
    const { frames, events } = takeApart(outputs);
    expect(frames.map(({ flat }) => flat.u)).toEqual([...Array<number>(10).fill(28), ...Array<number>(10).fill(128)]);
    expect(events.filter(({ type }) => type.startsWith('params'))).toEqual([
      expect.objectContaining({ type: 'params_applied', revision: 0, frame: 0, pts: 0, params: { amount: 0 } }),
      expect.objectContaining({ type: 'params_rejected', revision: 1, reason: expect.stringContaining("'amount'") }),
      expect.objectContaining({ type: 'params_rejected', revision: 2, reason: expect.stringContaining("'nonsense'") }),
      expect.objectContaining({ type: 'params_applied', revision: 3, frame: 10, pts: 10 * FRAME_TICKS, params: { amount: 1 } }),
    ]);
  });

  describe('when the processor throws', () => {
    const failing = processorOf((frame) => {
      frame.edit('y').data.fill(1);
      if (frame.number % 3 === 2) throw new Error('no idea');
      return frame;
    });

    it('repeats the last good frame by default, so that the raw input does not leak', async () => {
      const { frames, events } = await runThrough(toyStream({ frames: 9 }), { definition: failing });
      expect(frames.map(({ flat }) => flat.y)).toEqual(Array(9).fill(1));
      expect(frames.map(({ pts }) => pts)).toEqual(Array.from({ length: 9 }, (_, n) => n * FRAME_TICKS));
      expect(events.filter(({ type }) => type === 'error')).toEqual([
        expect.objectContaining({ code: 'processor_failed', message: 'The processor failed: no idea' }),
      ]);
    });

    it('sends nothing before the first good frame', async () => {
      const always = processorOf(() => {
        throw new Error('never');
      });
      const { frames, done } = await runThrough(toyStream({ frames: 5 }), { definition: always });
      expect(frames).toEqual([]);
      expect(done?.reason).toBe('input_ended');
    });

    it('drops the frame, or passes the untouched input, where that is chosen', async () => {
      const dropped = await runThrough(toyStream({ frames: 6 }), { definition: failing, tuning: { onError: 'drop' } });
      expect(dropped.frames.map(({ pts }) => pts / FRAME_TICKS)).toEqual([0, 1, 3, 4]);
      const passed = await runThrough(toyStream({ frames: 6 }), { definition: failing, tuning: { onError: 'passthrough' } });
      expect(passed.frames.map(({ flat }) => flat.y)).toEqual([1, 1, 18, 1, 1, 21]);
      expect(passed.driver.lent()).toBe(0);
    });

    it('ends when it has failed for too long, or never comes back', async () => {
      const always = processorOf(() => Promise.reject(new Error('broken')));
      const failed = await runThrough(toyStream({ frames: 3 }), { definition: always, tuning: { failingMs: 0 } });
      expect(failed.done).toMatchObject({ reason: 'processor_failed', detail: expect.stringContaining('broken') });
      const stuck = processorOf(() => new Promise<never>(() => undefined));
      const hung = await runThrough(toyStream({ frames: 3 }), { definition: stuck, tuning: { frameDeadlineMs: 50 } });
      expect(hung.done).toMatchObject({ reason: 'processor_failed', detail: expect.stringContaining('50 ms') });
      expect(hung.driver.open()).toBe(0);
    });

    it('ends when it never comes back from an update of parameters', async () => {
      class Undecided extends FrameProcessor<typeof none> {
        override processVideo(frame: VideoFrame) {
          return frame;
        }
        override updateParams() {
          return new Promise<never>(() => undefined);
        }
      }
      const definition = defineProcessor({ name: 'undecided', description: 'A test.', params: none, create: () => new Undecided() });
      const { path, outputs, clock, driver } = await startPath({ definition, tuning: { frameDeadlineMs: 50 } });
      path.updateParams({ revision: 1, values: {} });
      for (const chunk of toyStream({ frames: 3 })) await path.push(chunk, clock.nowMs());
      await until(() => outputs.at(-1)?.kind === 'done');
      expect(outputs.at(-1)).toMatchObject({ reason: 'processor_failed', detail: expect.stringContaining('parameters in 50 ms') });
      expect([driver.lent(), driver.open()]).toEqual([0, 0]);
    });

    it('is over in time when it never comes back from its end', async () => {
      class Clinging extends FrameProcessor<typeof none> {
        override processVideo(frame: VideoFrame) {
          return frame;
        }
        override onStreamStop() {
          return new Promise<never>(() => undefined);
        }
      }
      const definition = defineProcessor({ name: 'clinging', description: 'A test.', params: none, create: () => new Clinging() });
      const { done, driver } = await runThrough(toyStream({ frames: 3 }), { definition, tuning: { frameDeadlineMs: 50 } });
      expect(done).toMatchObject({ reason: 'input_ended' });
      expect(driver.open()).toBe(0);
    });
  });

  it('follows the size of the processed frame, down to even sides, with a new encoder and a keyframe', async () => {
    const grows = processorOf((frame) => {
      if (frame.number < 3) return frame;
      return frame.replaceRgb({ width: 65, height: 37, data: new Uint8Array(65 * 37 * 3) });
    });
    const { frames, driver } = await runThrough(toyStream({ frames: 5 }), { definition: grows });
    expect(frames.map(({ flat }) => `${flat.width}x${flat.height}`)).toEqual(['32x18', '32x18', '32x18', '64x36', '64x36']);
    expect(frames.map(({ keyframe }) => keyframe)).toEqual([true, false, false, true, false]);
    expect(driver.encoders.map(({ width }) => width)).toEqual([32, 64]);
  });

  it('thins out to maxFramerate by phase', async () => {
    const { frames } = await runThrough(toyStream({ frames: 30 }), { definition: passthrough, output: { maxFramerate: 10 } });
    expect(frames.map(({ pts }) => pts / FRAME_TICKS)).toEqual([0, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29]);
  });

  it('goes on with growing PTS when the source begins again', async () => {
    const at = (n: number) => (n < 10 ? 900_000 + n * FRAME_TICKS : (n - 10) * FRAME_TICKS);
    const { frames, events } = await runThrough(toyStream({ frames: 20, gopFrames: 10, audio: true, at }), { definition: passthrough });
    expect(frames.map(({ pts }) => pts)).toEqual(Array.from({ length: 20 }, (_, n) => expect.closeTo(900_000 + n * FRAME_TICKS, -2)));
    expect(events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'timestamps_jumped' }));
  });

  it('goes on after a gap with the next keyframe', async () => {
    const { path, outputs, clock } = await startPath({ definition: passthrough });
    const chunks = toyStream({ frames: 30, gopFrames: 10 });
    for (const chunk of chunks.slice(0, 5)) await path.push(chunk, clock.nowMs());
    path.discontinuity();
    for (const chunk of chunks.slice(7)) await path.push(chunk, clock.nowMs());
    await path.endOfInput();
    await path.done;
    const shown = takeApart(outputs).frames.map(({ pts }) => pts / FRAME_TICKS);
    expect(shown).toEqual([0, 1, 2, 3, 4, ...Array.from({ length: 20 }, (_, n) => 10 + n)]);
  });

  it('ends as broken_input when nothing in the input can be decoded', async () => {
    const noise = Array.from({ length: 50 }, (_, n) => Uint8Array.from({ length: 1000 }, (_, at) => (at * 31 + n * 7) & 0xff));
    expect((await runThrough(noise, { definition: passthrough })).done).toMatchObject({ reason: 'broken_input' });
    let nowMs = 1_000_000;
    const { path, outputs } = await startPath({ definition: passthrough, clock: { nowMs: () => nowMs, setTimer: () => () => undefined } });
    for (const chunk of noise) {
      nowMs += 1_000;
      await path.push(chunk, nowMs);
    }
    await path.done;
    expect(takeApart(outputs).done).toMatchObject({ reason: 'broken_input', detail: expect.stringContaining('without a picture') });
  });

  it('warns of a unit that cannot be decoded and goes on', async () => {
    const chunks = toyStream({ frames: 6 });
    // The JSON of frame 3 loses its opening brace.
    const text = chunks[3].indexOf(0x7b);
    chunks[3][text] = 0x20;
    const { frames, events } = await runThrough(chunks, { definition: passthrough });
    expect(frames.map(({ pts }) => pts / FRAME_TICKS)).toEqual([0, 1, 2, 4, 5]);
    expect(events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'broken_media' }));
  });

  it('tells the times of each frame when asked', async () => {
    const { events } = await runThrough(toyStream({ frames: 45 }), { definition: passthrough, trace: true });
    const traces = events.flatMap((event) => (event.type === 'frames' ? event.frames : []));
    expect(traces.map(({ pts }) => pts)).toEqual(Array.from({ length: 45 }, (_, n) => n * FRAME_TICKS));
    for (const { receivedMs, decodedMs, dequeuedMs, processedMs, sentMs } of traces) {
      const times = [receivedMs, decodedMs, dequeuedMs, processedMs, sentMs];
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });

  it('says how it is at once and every heartbeat', async () => {
    const { path, outputs } = await startPath({ definition: passthrough, tuning: { heartbeatMs: 20 } });
    const beats = () => outputs.filter((output) => output.kind === 'event' && output.event.type === 'heartbeat').length;
    expect(beats()).toBe(1);
    await until(() => beats() >= 3);
    await path.stop();
  });

  it('refuses bad parameters and a processor that does not load, leaving nothing open', async () => {
    await expect(startPath({ definition: grayscale, params: { amount: 'much' } })).rejects.toMatchObject({ code: 'invalid_params' });
    let stopped = 0;
    class Unloadable extends FrameProcessor<typeof none> {
      override load() {
        throw new Error('no weights');
      }
      override onStreamStop() {
        stopped += 1;
      }
      override processVideo(frame: VideoFrame) {
        return frame;
      }
    }
    const definition = defineProcessor({ name: 'unloadable', description: 'A test.', params: none, create: () => new Unloadable() });
    await expect(startPath({ definition })).rejects.toMatchObject({
      code: 'processor_failed',
      message: 'The processor failed: no weights',
    });
    expect(stopped).toBe(1);
  });

  it('makes the input wait when far too much is pending, and is free again after a stop', async () => {
    const stuck = processorOf(() => new Promise<never>(() => undefined));
    const { path, outputs, clock } = await startPath({ definition: stuck, tuning: { frameDeadlineMs: 500 } });
    const room = toyStream({ frames: 700 }).map((chunk) => path.push(chunk, clock.nowMs()));
    const free = await Promise.race([Promise.all(room).then(() => 'free'), sleep(50).then(() => 'waits')]);
    expect(free).toBe('waits');
    await path.stop();
    await Promise.all(room);
    expect(outputs.at(-1)?.kind).toBe('done');
  });
});

function takeApartSoFar(outputs: Parameters<typeof takeApart>[0]): number {
  return outputs.filter(({ kind }) => kind === 'bytes').length;
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !condition(); tries += 1) await sleep(10);
  expect(condition()).toBe(true);
}
