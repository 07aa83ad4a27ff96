import { type Channel, createHub, type SegmentReader, type TrickleLimits } from '../index.ts';

/** Time when a test begins. */
const T0 = 1_000_000;

/** A hub with one channel, under a clock that the test moves. */
export function setUp(limits: Partial<TrickleLimits> = {}) {
  const time = { nowMs: T0 };
  const hub = createHub({ clock: () => time.nowMs, limits });
  return { time, hub, channel: hub.create({ name: 'c', mimeType: 'text/plain' }) };
}

/** Writes a whole segment. */
export function put(channel: Channel, seq: number, value: string): void {
  const writer = channel.write(seq);
  writer.write(bytes(value));
  writer.end();
}

/** UTF-8. */
export function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** Everything a reader can have now. */
export function take(reader: SegmentReader): string {
  let text = '';
  for (let chunk = reader.next(); chunk !== null; chunk = reader.next())
    text += chunk.payloads.map((payload) => new TextDecoder().decode(payload)).join('');
  return text;
}

/** A reader of what must be there. */
export function reader(channel: Channel, target: number): SegmentReader {
  const answer = channel.read(target);
  if (answer.kind !== 'reader') throw new Error(`${target}: ${answer.kind}`);
  return answer.reader;
}
