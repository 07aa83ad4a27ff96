import { crc32 } from './crc32.ts';

/** Longest PAT or PMT section: 3 bytes of header and a 10-bit length (ISO/IEC 13818-1, 2.4.4.3 and 2.4.4.8). */
const SECTION_MAX_BYTES = 1024;

/** Puts PSI sections together from packet payloads; hands over those whose CRC holds. */
export class SectionAssembler {
  readonly #buffer = new Uint8Array(SECTION_MAX_BYTES);
  #length = 0;
  #open = false;

  /** Takes the payload of one packet. `onSection` gets a view that is valid during the call. Returns the number of broken sections. */
  push(payload: Uint8Array, unitStart: boolean, onSection: (section: Uint8Array) => void): number {
    let broken = 0;
    let at = 0;
    if (unitStart) {
      // pointer_field: what stands before it ends the section that is open.
      const start = 1 + (payload[0] ?? 0);
      if (this.#open) broken += this.#take(payload.subarray(1, start), onSection).broken;
      this.#open = false;
      at = start;
    } else if (!this.#open) {
      return 0;
    }
    while (at < payload.length) {
      if (!this.#open) {
        // 0xff is stuffing: no further section in this packet.
        if (payload[at] === 0xff) break;
        this.#open = true;
        this.#length = 0;
      }
      const done = this.#take(payload.subarray(at), onSection);
      broken += done.broken;
      at += done.taken;
      if (this.#open) break;
    }
    return broken;
  }

  /** Forgets what is open: a packet was lost. */
  reset(): void {
    this.#open = false;
  }

  #take(bytes: Uint8Array, onSection: (section: Uint8Array) => void): { taken: number; broken: number } {
    let taken = 0;
    while (taken < bytes.length) {
      const wanted = this.#length < 3 ? 3 : this.#total();
      if (wanted > SECTION_MAX_BYTES) {
        this.#open = false;
        return { taken: bytes.length, broken: 1 };
      }
      const piece = bytes.subarray(taken, taken + wanted - this.#length);
      this.#buffer.set(piece, this.#length);
      this.#length += piece.length;
      taken += piece.length;
      if (this.#length < 3 || this.#length < this.#total()) continue;
      this.#open = false;
      const section = this.#buffer.subarray(0, this.#length);
      if (crc32(section) !== 0) return { taken, broken: 1 };
      onSection(section);
      break;
    }
    return { taken, broken: 0 };
  }

  #total(): number {
    return 3 + (((this.#buffer[1] & 0x0f) << 8) | this.#buffer[2]);
  }
}
