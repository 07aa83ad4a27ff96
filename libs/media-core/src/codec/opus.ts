/** Opus runs on a clock of 48 kHz whatever its input rate was (RFC 6716, 2). */
export const OPUS_SAMPLE_RATE = 48_000;

/** Frame length in samples of 48 kHz by the top five bits of the TOC byte (RFC 6716, 3.1). */
function frameSamples(config: number): number {
  if (config < 12) return [480, 960, 1920, 2880][config & 3];
  if (config < 16) return [480, 960][config & 1];
  return [120, 240, 480, 960][config & 3];
}

/** Length of an Opus packet in samples of 48 kHz (RFC 6716, 3.1 and 3.2); 0 when it is not a packet. */
export function opusPacketSamples(packet: Uint8Array): number {
  const toc = packet[0];
  if (toc === undefined) return 0;
  const code = toc & 3;
  const frames = code === 0 ? 1 : code < 3 ? 2 : (packet[1] ?? 0) & 0x3f;
  const samples = frames * frameSamples(toc >> 3);
  // A packet holds 120 ms at most.
  return samples <= 5760 ? samples : 0;
}

/** The first two bytes of a control header: an 11-bit prefix and flags. */
const CONTROL_PREFIX = 0x7fe0;

/** Puts the control header of "Opus in MPEG-TS" (ETSI TS 103 491, annex) before a packet. */
export function wrapOpus(packet: Uint8Array): Uint8Array {
  const fullBytes = Math.floor(packet.length / 255);
  const bytes = new Uint8Array(3 + fullBytes + packet.length);
  bytes[0] = CONTROL_PREFIX >> 8;
  bytes[1] = CONTROL_PREFIX & 0xff;
  bytes.fill(255, 2, 2 + fullBytes);
  bytes[2 + fullBytes] = packet.length % 255;
  bytes.set(packet, 3 + fullBytes);
  return bytes;
}

/** Where the packet after a control header lies; null when there is no whole header and packet at `at`. */
export function readOpusControl(data: Uint8Array, at: number): { start: number; end: number } | null {
  const flags = data[at + 1];
  if (flags === undefined || data[at] !== CONTROL_PREFIX >> 8 || (flags & 0xe0) !== (CONTROL_PREFIX & 0xff)) return null;
  let start = at + 2;
  let size = 0;
  for (;;) {
    const byte = data[start];
    if (byte === undefined) return null;
    start += 1;
    size += byte;
    if (byte !== 255) break;
  }
  if ((flags & 0x10) !== 0) start += 2;
  if ((flags & 0x08) !== 0) start += 2;
  if ((flags & 0x04) !== 0) start += 1 + (data[start] ?? 0);
  return size > 0 && start + size <= data.length ? { start, end: start + size } : null;
}
