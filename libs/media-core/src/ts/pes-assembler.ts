import type { TsDemuxStats } from './demux-stats.ts';
import { PES_START_BYTES, pesTotalBytes } from './pes.ts';

/** Units whose end was foretold rightly by stuffing before the rule is relied on. */
const STUFFING_PROOF_UNITS = 3;
const INITIAL_BYTES = 1 << 16;

/**
 * Puts the PES packets of one stream together.
 *
 * Where the length is known, a unit ends with its last byte. Where it is not (length 0, as FFmpeg writes video), muxers fill the last
 * transport packet of a unit up with stuffing, and nothing else stuffs: that tells the end one frame earlier than the next unit's
 * start. The standard does not promise it, so it has to prove itself first, and is given up for good once it was wrong.
 */
export class PesAssembler {
  readonly #maxBytes: number;
  readonly #stats: TsDemuxStats;
  readonly #onPes: (pes: Uint8Array, randomAccess: boolean) => void;
  #buffer = new Uint8Array(INITIAL_BYTES);
  #length = 0;
  /** 0: not known. */
  #total = 0;
  /** `skipping`: the rest of a unit that was dropped. `released`: handed over early, its end not yet confirmed by the next unit. */
  #state: 'idle' | 'open' | 'skipping' | 'released' = 'idle';
  #randomAccess = false;
  #stuffed = false;
  /** Units whose end stuffing has foretold; minus infinity once it was wrong. */
  #proof = 0;

  /** `onPes` gets a view that is valid during the call. */
  constructor(options: { maxBytes: number; stats: TsDemuxStats; onPes: (pes: Uint8Array, randomAccess: boolean) => void }) {
    this.#maxBytes = options.maxBytes;
    this.#stats = options.stats;
    this.#onPes = options.onPes;
  }

  /** A packet begins a new unit; what is open ends. */
  begin(randomAccess: boolean): void {
    this.finish();
    this.#state = 'open';
    this.#length = 0;
    this.#total = 0;
    this.#stuffed = false;
    this.#randomAccess = randomAccess;
  }

  /** Takes bytes `from` to `to` of a packet that has or has not stuffing. */
  append(bytes: Uint8Array, from: number, to: number, stuffing: boolean): void {
    if (this.#state === 'released') {
      // A unit that was handed over goes on: stuffing does not mean its end in this stream.
      this.#proof = Number.NEGATIVE_INFINITY;
      this.#stats.droppedUnits += 1;
      this.#state = 'skipping';
    }
    if (this.#state !== 'open') return;
    // The packet before was stuffed and yet not the last of its unit.
    if (this.#stuffed) this.#proof = Number.NEGATIVE_INFINITY;
    const length = this.#length + (to - from);
    if (length > this.#maxBytes) {
      this.drop();
      return;
    }
    if (length > this.#buffer.length) this.#grow(length);
    for (let at = from, put = this.#length; at < to; at += 1, put += 1) this.#buffer[put] = bytes[at];
    const knewStart = this.#length >= PES_START_BYTES;
    this.#length = length;
    this.#stuffed = stuffing;
    if (length < PES_START_BYTES) return;
    if (!knewStart) {
      const total = pesTotalBytes(this.#buffer);
      if (total === null) {
        this.drop();
        return;
      }
      this.#total = total;
    }
    if (this.#total !== 0) {
      if (length >= this.#total) this.#emit(this.#total, 'idle');
    } else if (stuffing && this.#proof >= STUFFING_PROOF_UNITS) {
      this.#stats.earlyUnits += 1;
      this.#emit(length, 'released');
    }
  }

  /** No more bytes belong to the unit that is open: hands it over if it is whole. */
  finish(): void {
    if (this.#state !== 'open') {
      this.#state = 'idle';
      return;
    }
    if (this.#total !== 0 || this.#length < PES_START_BYTES) this.drop();
    else this.#emit(this.#length, 'idle');
  }

  /** Throws the open unit away; the rest of it is skipped. */
  drop(): void {
    if (this.#state === 'open') this.#stats.droppedUnits += 1;
    this.#state = 'skipping';
  }

  #emit(length: number, next: 'idle' | 'released'): void {
    this.#state = next;
    if (this.#stuffed && next === 'idle') this.#proof += 1;
    this.#onPes(this.#buffer.subarray(0, length), this.#randomAccess);
  }

  #grow(wanted: number): void {
    const grown = new Uint8Array(Math.min(this.#maxBytes, Math.max(wanted, this.#buffer.length * 2)));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}
