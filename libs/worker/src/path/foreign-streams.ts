import type { TsProgram } from '@runnel/media-core';

/** Stream types of ISO/IEC 13818-1, table 2-34, and of ATSC A/53 that senders use and that are not carried. */
const FOREIGN: Readonly<Record<number, { name: string; kind: 'video' | 'audio' }>> = {
  0x01: { name: 'MPEG-1 video', kind: 'video' },
  0x02: { name: 'MPEG-2 video', kind: 'video' },
  0x03: { name: 'MPEG-1 audio', kind: 'audio' },
  0x04: { name: 'MPEG-2 audio', kind: 'audio' },
  0x10: { name: 'MPEG-4 video', kind: 'video' },
  0x11: { name: 'AAC in LATM', kind: 'audio' },
  0x33: { name: 'VVC video', kind: 'video' },
  0x81: { name: 'AC-3 audio', kind: 'audio' },
  0x87: { name: 'E-AC-3 audio', kind: 'audio' },
};
const WANTED = { video: 'H.264 or HEVC', audio: 'AAC in ADTS or Opus' } as const;

/** What to say of a program's streams that are left out; null when there is nothing to say. Private data is left out in silence. */
export function foreignStreams({ ignored }: Pick<TsProgram, 'ignored'>): string | null {
  const known = ignored.flatMap(({ streamType }) => FOREIGN[streamType] ?? []);
  if (known.length === 0) return null;
  return known.map(({ name, kind }) => `${name} is left out: send ${WANTED[kind]}.`).join(' ');
}
