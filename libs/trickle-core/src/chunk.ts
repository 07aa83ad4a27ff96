import { MAX_COPIED_BYTES, type Slab, type SlabPool } from './slab.ts';

/** Memory that a chunk costs beside its bytes: the objects that hold it. Makes a flood of one-byte chunks as dear as it is. */
export const CHUNK_OVERHEAD_BYTES = 256;

const CR = 13;
const LF = 10;
const EMPTY = new Uint8Array(0);
const FINAL = Uint8Array.of(0x30, CR, LF, CR, LF);

/** What a chunk is made of: always all of it, so that V8 sees one shape. */
interface ChunkBytes {
  readonly framed: Uint8Array | null;
  readonly payload: Uint8Array | null;
  readonly final: Uint8Array | null;
  readonly lead: number;
  readonly open: boolean;
}

/**
 * A run of bytes of a segment, which may not be changed once it is made. It is kept in the form in which nearly all of it travels, as
 * frames of HTTP/1.1's chunked coding (RFC 9112, 7.1), so that one received buffer goes out to every reader as it came in. The
 * other form is made when it is asked for.
 */
export class Chunk {
  /** Bytes of the segment, framing not counted. At least 1. */
  readonly size: number;
  /** What it takes of a bound on memory: the bytes that it came with, framing and all, and overhead. Frames may be many times what they hold. */
  readonly cost: number;
  /**
   * Bytes of the segment at its beginning that belong to a frame which an earlier chunk has begun; 0 when it begins with a frame. May be
   * more than it holds.
   */
  readonly lead: number;
  /** Whether its last frame is not whole: the next chunk goes on with it. */
  readonly open: boolean;
  #framed: Uint8Array | null;
  #payload: Uint8Array | null;
  #final: Uint8Array | null;
  #slab: Slab | null = null;

  private constructor(size: number, bytes: ChunkBytes) {
    this.size = size;
    this.cost = ((bytes.framed ?? bytes.final)?.byteLength ?? size) + CHUNK_OVERHEAD_BYTES;
    this.lead = bytes.lead;
    this.open = bytes.open;
    this.#framed = bytes.framed;
    this.#payload = bytes.payload;
    this.#final = bytes.final;
  }

  /** A chunk of plain bytes. */
  static of(payload: Uint8Array): Chunk {
    return new Chunk(payload.byteLength, { framed: null, payload, final: null, lead: 0, open: false });
  }

  /** A chunk of frames without extensions, which hold `size` bytes. `lead`: it begins with the rest of a frame. */
  static framed(framed: Uint8Array, size: number, { lead = 0 }: { lead?: number } = {}): Chunk {
    return new Chunk(size, { framed, payload: null, final: null, lead, open: false });
  }

  /** As `framed`, with the last chunk (`0`) behind the frames. */
  static ended(final: Uint8Array, size: number, { lead = 0 }: { lead?: number } = {}): Chunk {
    return new Chunk(size, { framed: null, payload: null, final, lead, open: false });
  }

  /**
   * A piece of frames as it was received, cut anywhere but inside a size line or between a frame's bytes and its end. Pieces of one body
   * have to follow each other with nothing between.
   */
  static cut(framed: Uint8Array, size: number, { lead, open }: { lead: number; open: boolean }): Chunk {
    return new Chunk(size, { framed, payload: null, final: null, lead, open });
  }

  /** Frames, as whole as `lead` and `open` say. */
  get framed(): Uint8Array {
    if (this.#framed === null && this.#final !== null) {
      this.#framed = this.#final.subarray(0, this.#final.byteLength - FINAL.byteLength);
    }
    if (this.#framed === null) {
      this.#framed = frame(this.#payload!);
      const end = this.#framed.byteLength - 2;
      this.#payload = this.#framed.subarray(end - this.size, end);
    }
    return this.#framed;
  }

  /** Frames and the last chunk, in one piece; of a chunk that is not `open`. */
  get framedFinal(): Uint8Array {
    if (this.#final !== null) return this.#final;
    const all = new Uint8Array(this.framed.byteLength + FINAL.byteLength);
    all.set(this.framed);
    all.set(FINAL, this.framed.byteLength);
    return all;
  }

  /** Whether `framedFinal` needs no copy. */
  get hasFinal(): boolean {
    return this.#final !== null;
  }

  /** The bytes without framing, in pieces that may be kept. */
  get payloads(): readonly Uint8Array[] {
    if (this.#payload !== null) return [this.#payload];
    return unframe(this.#slab === null ? this.framed : this.framed.slice(), this.lead);
  }

  /**
   * The memory that `framed` is in, when it is used again after `release`: whoever gives `framed` to a write that does not end at once has
   * to hold it as long. Null for memory that stays.
   */
  get slab(): Slab | null {
    return this.#slab;
  }

  /** Moves its bytes into a pool's memory, unless they are too many. */
  moveTo(pool: SlabPool): void {
    if (this.size > MAX_COPIED_BYTES || this.#slab !== null) return;
    const all = this.#final ?? this.framed;
    // Small as its payload is, with a frame for each byte it may be large.
    if (all.byteLength > MAX_COPIED_BYTES) return;
    const { copy, slab } = pool.copy(all);
    if (this.#final === null) this.#framed = copy;
    else {
      this.#final = copy;
      this.#framed = null;
    }
    this.#payload = null;
    this.#slab = slab;
  }

  /** Its segment needs it no more. Idempotent. */
  release(): void {
    if (this.#slab === null) return;
    // From here on other bytes may stand there: to be read as nothing is a fault that shows.
    this.#framed = EMPTY;
    this.#final = null;
    this.#slab.release();
    this.#slab = null;
  }
}

/** One frame around a payload. */
function frame(payload: Uint8Array): Uint8Array {
  const size = payload.byteLength.toString(16);
  const head = size.length + 2;
  const out = new Uint8Array(head + payload.byteLength + 2);
  for (let at = 0; at < size.length; at += 1) out[at] = size.charCodeAt(at);
  out[head - 2] = CR;
  out[head - 1] = LF;
  out.set(payload, head);
  out[out.byteLength - 2] = CR;
  out[out.byteLength - 1] = LF;
  return out;
}

/** The payloads of frames that were checked when they came in. */
function unframe(framed: Uint8Array, lead: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  let at = 0;
  let size = lead;
  while (at < framed.byteLength) {
    if (size > 0) {
      out.push(framed.subarray(at, at + size));
      at += size + 2;
    }
    for (size = 0; at < framed.byteLength && framed[at] !== CR; at += 1) size = size * 16 + hexDigit(framed[at]);
    at += 2;
  }
  return out;
}

/** Value of a hexadecimal digit in ASCII. */
function hexDigit(code: number): number {
  return code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57;
}
