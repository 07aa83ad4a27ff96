import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createNodeAvDriver, makeTestClip, startIngest } from '@runnel/media';
import type { Session, SessionEvent } from '@runnel/schemas';
import { createLogger } from '@runnel/service';
import { createApiClient, type ApiClient } from './api/client.ts';
import { startSolo, type Solo } from './solo/solo.ts';
import { playChannel } from './stream/play.ts';
import { publishIngest } from './stream/publish.ts';
import { readPictures, type SeenPicture } from './testing/pictures.ts';

const folder = mkdtempSync(join(tmpdir(), 'runnel-stream-'));
const clip = join(folder, 'clip.mp4');
let solo: Solo;
let api: ApiClient;

beforeAll(async () => {
  await makeTestClip({ path: clip, seconds: 3 });
  solo = await startSolo({ host: '127.0.0.1', apiPort: 0, edgePort: 0, logger: createLogger({ name: 'test', level: 'silent' }) });
  api = createApiClient(solo.apiUrl);
}, 60_000);

afterAll(async () => {
  await solo.close();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

/** Runs the clip through a session; `onFrame` is called with each source frame's number. */
async function stream(session: Session, onFrame: (frame: number) => void): Promise<{ pictures: SeenPicture[]; events: SessionEvent[] }> {
  const signal = AbortSignal.timeout(30_000);
  const events: SessionEvent[] = [];
  const following = (async () => {
    for await (const event of api.events(session.id, signal)) events.push(event);
  })();
  const chunks: Uint8Array[] = [];
  const playing = playChannel(session.urls.play, {
    start: 0,
    signal,
    onBytes: async (bytes) => {
      chunks.push(bytes.slice());
    },
    onGap: (gap) => {
      throw new Error(`missed ${gap.from} to ${gap.to}`);
    },
  });
  const ingest = await startIngest({ input: clip, pace: 'real-time', segmentFrames: 2, gopFrames: 30, bitrateKbps: 2000 });
  let frame = 0;
  await publishIngest(ingest, session.urls.publish, signal, { onFrame: () => onFrame(frame++) });
  await Promise.all([playing, following]);
  return { pictures: await readPictures(createNodeAvDriver(), chunks), events };
}

describe('a parameter changed in mid-stream', () => {
  let session: Session;
  let pictures: SeenPicture[];
  let events: SessionEvent[];

  beforeAll(async () => {
    session = await api.createSession({ processor: 'tint', params: { color: '#ff0000', amount: 1 } });
    const updates: Promise<unknown>[] = [];
    ({ pictures, events } = await stream(session, (frame) => {
      if (frame === 40) updates.push(api.updateParams(session.id, { color: '#0000ff' }));
    }));
    await Promise.all(updates);
  }, 60_000);

  it('is visible in the picture from exactly the frame that the event names', () => {
    const applied = events.find((event) => event.type === 'params_applied' && event.revision === 1);
    if (applied?.type !== 'params_applied') throw new Error('no params_applied event');
    expect(pictures).toHaveLength(90);
    expect(applied.frame).toBeGreaterThan(40);
    expect(pictures[applied.frame].pts).toBe(applied.pts);
    // Cr tells red from blue: red lies far above 128, blue below.
    const red = pictures.map(({ meanCr }) => meanCr > 150);
    expect(red.slice(0, applied.frame)).toEqual(Array.from({ length: applied.frame }, () => true));
    expect(red.slice(applied.frame)).toEqual(Array.from({ length: 90 - applied.frame }, () => false));
  });

  it('leaves the session with the revision applied and the reason of its end', async () => {
    expect(await api.getSession(session.id)).toMatchObject({
      state: 'ended',
      endReason: 'input_ended',
      params: { revision: 1, appliedRevision: 1, values: { color: '#0000ff', amount: 1 } },
      stats: { framesIn: 90, framesOut: 90, framesDropped: 0 },
    });
  });
});

describe('two sessions at once', () => {
  it('never mix their frames', async () => {
    const [red, blue] = await Promise.all(
      ['#ff0000', '#0000ff'].map((color) => api.createSession({ processor: 'tint', params: { color, amount: 1 } })),
    );
    const [redSeen, blueSeen] = await Promise.all([stream(red, () => undefined), stream(blue, () => undefined)]);
    expect(redSeen.pictures.map(({ meanCr }) => meanCr > 150)).toEqual(Array.from({ length: 90 }, () => true));
    expect(blueSeen.pictures.map(({ meanCr }) => meanCr > 150)).toEqual(Array.from({ length: 90 }, () => false));
  }, 60_000);
});
