import type { VideoCodec } from '../frames.ts';

/** What the NAL units of one access unit tell. */
export interface AnnexBFacts {
  /** Decoding can begin here: an IDR picture (H.264) or any random access picture (HEVC). */
  keyframe: boolean;
  /** Parameter sets stand before the picture: SPS and PPS, for HEVC also VPS. */
  parameterSets: boolean;
}

/** What a NAL unit is for us (ITU-T H.264, table 7-1; H.265, table 7-1). */
type NalKind = 'key' | 'picture' | 'vps' | 'sps' | 'pps' | 'other';

function nalKind(codec: VideoCodec, header: number): NalKind {
  if (codec === 'h264') {
    const type = header & 0x1f;
    if (type === 5) return 'key';
    if (type >= 1 && type <= 4) return 'picture';
    return type === 7 ? 'sps' : type === 8 ? 'pps' : 'other';
  }
  const type = (header >> 1) & 0x3f;
  if (type >= 16 && type <= 23) return 'key';
  if (type < 32) return 'picture';
  return type === 32 ? 'vps' : type === 33 ? 'sps' : type === 34 ? 'pps' : 'other';
}

/** Index of the first byte after the next start code (00 00 01) at or after `from`; -1 when there is none. */
function nextNal(data: Uint8Array, from: number): number {
  for (let at = data.indexOf(1, from + 2); at !== -1; at = data.indexOf(1, at + 1)) {
    if (data[at - 1] === 0 && data[at - 2] === 0) return at + 1;
  }
  return -1;
}

/** Looks at an Annex B access unit (ITU-T H.264, annex B) up to its first picture; the pictures themselves are not read. */
export function inspectAnnexB(codec: VideoCodec, data: Uint8Array): AnnexBFacts {
  let sps = false;
  let pps = false;
  for (let at = nextNal(data, 0); at !== -1 && at < data.length; at = nextNal(data, at)) {
    const kind = nalKind(codec, data[at]);
    sps ||= kind === 'sps';
    pps ||= kind === 'pps';
    if (kind === 'key' || kind === 'picture') return { keyframe: kind === 'key', parameterSets: sps && pps };
  }
  return { keyframe: false, parameterSets: sps && pps };
}

/** The parameter sets of an access unit, each with a start code: what a container or decoder wants to know ahead. Null when it has none. */
export function parameterSets(codec: VideoCodec, data: Uint8Array): Uint8Array | null {
  const found: Uint8Array[] = [];
  for (let at = nextNal(data, 0); at !== -1 && at < data.length;) {
    const kind = nalKind(codec, data[at]);
    if (kind === 'key' || kind === 'picture') break;
    const next = nextNal(data, at);
    if (kind !== 'other') found.push(trimZeros(data.subarray(at, next === -1 ? data.length : next - 3)));
    at = next;
  }
  if (found.length === 0) return null;
  const bytes = new Uint8Array(found.reduce((sum, nal) => sum + 4 + nal.length, 0));
  let to = 0;
  for (const nal of found) {
    bytes.set([0, 0, 0, 1], to);
    bytes.set(nal, to + 4);
    to += 4 + nal.length;
  }
  return bytes;
}

/** Zeros before a start code belong to it, not to the NAL unit before. */
function trimZeros(nal: Uint8Array): Uint8Array {
  let end = nal.length;
  while (end > 1 && nal[end - 1] === 0) end -= 1;
  return nal.subarray(0, end);
}
