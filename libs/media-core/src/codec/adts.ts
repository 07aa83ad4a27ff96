/** What an ADTS header says (ISO/IEC 13818-7, 6.2). */
export interface AdtsHeader {
  /** Bytes of the frame with its header. */
  frameBytes: number;
  headerBytes: 7 | 9;
  sampleRate: number;
  /** 0 when the stream itself says it (a program config element). */
  channels: number;
  /** MPEG-4 audio object type: 2 is AAC-LC. */
  objectType: number;
  sampleRateIndex: number;
}

/** Samples a channel of one AAC frame. */
export const AAC_FRAME_SAMPLES = 1024;
/** The longest frame that its 13-bit length allows. */
export const ADTS_FRAME_MAX_BYTES = 8191;

const SAMPLE_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350] as const;

/** Reads the header at `at`; null when there is none (at least 7 bytes are needed). */
export function readAdtsHeader(data: Uint8Array, at = 0): AdtsHeader | null {
  // Sync word of 12 bits, then layer 0.
  if (at + 7 > data.length || data[at] !== 0xff || (data[at + 1] & 0xf6) !== 0xf0) return null;
  const sampleRateIndex = (data[at + 2] >> 2) & 0x0f;
  const sampleRate = SAMPLE_RATES[sampleRateIndex];
  const frameBytes = ((data[at + 3] & 0x03) << 11) | (data[at + 4] << 3) | (data[at + 5] >> 5);
  const headerBytes = (data[at + 1] & 1) === 1 ? 7 : 9;
  if (sampleRate === undefined || frameBytes <= headerBytes) return null;
  const channelCode = ((data[at + 2] & 1) << 2) | (data[at + 3] >> 6);
  return {
    frameBytes,
    headerBytes,
    sampleRate,
    channels: channelCode === 7 ? 8 : channelCode,
    objectType: (data[at + 2] >> 6) + 1,
    sampleRateIndex,
  };
}

/** Puts an ADTS header before a raw AAC-LC frame. @throws RangeError for a sample rate, channel count or size that ADTS cannot say. */
export function wrapAdts(frame: Uint8Array, { sampleRate, channels }: { sampleRate: number; channels: number }): Uint8Array {
  const index = SAMPLE_RATES.findIndex((rate) => rate === sampleRate);
  const frameBytes = frame.length + 7;
  if (index === -1 || frameBytes > ADTS_FRAME_MAX_BYTES || channels < 1 || channels > 8 || channels === 7)
    throw new RangeError(`ADTS cannot carry ${channels} channels at ${sampleRate} Hz in ${frameBytes} bytes.`);
  const code = channels === 8 ? 7 : channels;
  const bytes = new Uint8Array(frameBytes);
  bytes[0] = 0xff;
  bytes[1] = 0xf1;
  bytes[2] = (1 << 6) | (index << 2) | (code >> 2);
  bytes[3] = ((code & 3) << 6) | (frameBytes >> 11);
  bytes[4] = frameBytes >> 3;
  // Buffer fullness 0x7ff: variable bit rate.
  bytes[5] = ((frameBytes & 7) << 5) | 0x1f;
  bytes[6] = 0xfc;
  bytes.set(frame, 7);
  return bytes;
}
