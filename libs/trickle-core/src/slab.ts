/** Bytes of one slab: as much as one read of a socket gives. */
export const SLAB_BYTES = 64 * 1024;

/** A larger piece of memory is kept as it came: it is dear to copy, and there are few of them. */
export const MAX_COPIED_BYTES = 16 * 1024;

/** Slabs that a pool keeps for later. */
const MAX_FREE = 8;

/** A block of memory that holds the chunks of one channel, one behind the other, and is used again when all of them have left. */
export class Slab {
  readonly bytes = new Uint8Array(SLAB_BYTES);
  /** Bytes given out. */
  used = 0;
  #holders = 0;
  readonly #pool: SlabPool;

  constructor(pool: SlabPool) {
    this.#pool = pool;
  }

  /** Whether a chunk or a write under way needs what it holds. */
  get held(): boolean {
    return this.#holders > 0;
  }

  /** One more needs what it holds. Each `hold` is followed by one `release`. */
  hold(): void {
    this.#holders += 1;
  }

  /** One less needs it; after the last one other bytes may take their place. */
  release(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.#pool.returned(this);
  }
}

/**
 * The memory of one channel's small chunks.
 *
 * The window keeps every segment for a second, long enough to make old garbage of the buffer that it was received in. With thousands of
 * segments a second collecting that is a large part of all work, most of it for marking what is alive. Copied into slabs, which come and
 * go by count, segments leave no garbage, and received buffers die young. A slab never serves two channels: whatever goes wrong, no reader sees
 * another channel's bytes.
 */
export class SlabPool {
  #current: Slab | null = null;
  readonly #free: Slab[] = [];

  /** A copy of some bytes, and the slab that it is in, held once for it. At most `MAX_COPIED_BYTES`. */
  copy(bytes: Uint8Array): { copy: Uint8Array; slab: Slab } {
    let slab = this.#current;
    if (slab === null || slab.used + bytes.byteLength > SLAB_BYTES) {
      const full = slab;
      slab = this.#free.pop() ?? new Slab(this);
      this.#current = slab;
      if (full !== null && !full.held) this.returned(full);
    }
    const start = slab.used;
    slab.used += bytes.byteLength;
    slab.bytes.set(bytes, start);
    slab.hold();
    return { copy: slab.bytes.subarray(start, slab.used), slab };
  }

  /** Lets go of the slabs that it keeps for later. */
  trim(): void {
    this.#free.length = 0;
  }

  /** For its slabs alone: nobody needs what one holds. */
  returned(slab: Slab): void {
    slab.used = 0;
    if (slab !== this.#current && this.#free.length < MAX_FREE) this.#free.push(slab);
  }
}
