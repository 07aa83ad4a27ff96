/** One pattern for all; where a segment begins in it follows from its channel and number, so that no two are alike. */
const PATTERN = Buffer.alloc(1024 * 1024);
for (let at = 0, state = 0x9e3779b9; at < PATTERN.length; at += 1) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  PATTERN[at] = state;
}

const HEADER_BYTES = 8;
const MAX_BODY_BYTES = 120_000;

/** A small generator of random numbers from 0 to 1 that gives the same for the same seed (mulberry32). */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The bytes of a segment: channel and number, then a piece of the pattern; many small ones, some large, 1 in 50 empty. */
export function segmentBytes(channel, seq) {
  const random = randomFrom(channel * 7919 + seq);
  const kind = random();
  if (kind < 0.02) return Buffer.alloc(0);
  const length = Math.floor(kind < 0.8 ? random() * 12_000 : random() * MAX_BODY_BYTES);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + length);
  bytes.writeUInt32LE(channel, 0);
  bytes.writeUInt32LE(seq, 4);
  const from = Math.floor(random() * (PATTERN.length - length));
  PATTERN.copy(bytes, HEADER_BYTES, from, from + length);
  return bytes;
}
