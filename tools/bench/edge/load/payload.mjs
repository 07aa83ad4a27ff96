/** Bytes in front of every write that say whose it is: run, channel, seq, write (uint32 each). */
const HEADER_BYTES = 16;

/** The rest of a write begins at another place of the channel's pattern for each seq and write, so that no two look alike. */
const SHIFTS = 509;

/** Bytes that look random and are the same for the same seed (xorshift32). */
function pattern(bytes, seed) {
  const buffer = Buffer.allocUnsafe(bytes);
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
  for (let at = 0; at < bytes; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    buffer[at] = state;
  }
  return buffer;
}

/**
 * The bytes of one channel. Every byte follows from run, channel, seq, write and offset, so a byte of another channel, of another segment,
 * of a piece in the wrong place, or of none is seen where it arrives.
 */
export class Payload {
  #header = Buffer.alloc(HEADER_BYTES);
  #pattern;

  /** `writes` writes of `writeBytes` bytes (at least 16) make a segment. */
  constructor({ run, channel, writeBytes, writes }) {
    this.writeBytes = writeBytes;
    this.writes = writes;
    this.segmentBytes = writeBytes * writes;
    this.#header.writeUInt32LE(run, 0);
    this.#header.writeUInt32LE(channel, 4);
    this.#pattern = pattern(Math.max(0, writeBytes - HEADER_BYTES) + SHIFTS, run + channel);
  }

  #address(seq, write) {
    this.#header.writeUInt32LE(seq, 8);
    this.#header.writeUInt32LE(write, 12);
  }

  #shift(seq, write) {
    return (seq * 7 + write * 31) % SHIFTS;
  }

  /** Writes the bytes of one write into `target` at `at`. */
  fill(target, at, seq, write) {
    this.#address(seq, write);
    this.#header.copy(target, at);
    const shift = this.#shift(seq, write);
    this.#pattern.copy(target, at + HEADER_BYTES, shift, shift + this.writeBytes - HEADER_BYTES);
  }

  /** Whether `buffer[start, end)` is what the segment holds from `position` on. */
  matches(buffer, start, end, seq, position) {
    while (start < end) {
      const write = Math.floor(position / this.writeBytes);
      if (write >= this.writes) return false;
      const offset = position - write * this.writeBytes;
      const inHeader = offset < HEADER_BYTES;
      const bytes = Math.min(end - start, (inHeader ? HEADER_BYTES : this.writeBytes) - offset);
      if (inHeader) this.#address(seq, write);
      const expected = inHeader ? this.#header : this.#pattern;
      const from = inHeader ? offset : this.#shift(seq, write) + offset - HEADER_BYTES;
      if (expected.compare(buffer, start, start + bytes, from, from + bytes) !== 0) return false;
      start += bytes;
      position += bytes;
    }
    return true;
  }
}
