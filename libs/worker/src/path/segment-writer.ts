import { TsMuxer, type AudioCodec, type EncodedUnit, type Ticks } from '@runnel/media-core';
import type { WorkerEvent } from '@runnel/schemas';
import type { PathSink } from './outputs.ts';

/** Audio units that may wait for their picture; the oldest go first. */
const AUDIO_WAITING_MAX = 512;
/** How long audio waits for the picture that it belongs to; then it goes ahead of it. */
const AUDIO_WAIT_MS = 250;
/** Audio from before the first picture is kept this far back. */
const AUDIO_LEAD_TICKS = 9_000;

/** What the program says of its audio. */
export interface AudioLayout {
  codec: AudioCodec;
  /** Counts for Opus only: the headers of AAC tell their own. */
  channels: number;
}

/**
 * Muxes encoded pictures and audio into segments of at most `segmentFrames` pictures. A keyframe always begins a segment,
 * and a segment is cut as soon as its last picture is written, so that its reader need not wait for the next one. Audio goes in by PTS, before
 * the picture that is due after it, and never holds a picture up.
 */
export class SegmentWriter {
  readonly #sink: PathSink;
  readonly #nowMs: () => number;
  readonly #segmentFrames: number;
  #layout: AudioLayout | null = null;
  #muxer: TsMuxer | null = null;
  #open = false;
  #frames = 0;
  /** A picture has been written; sound from before it has no place to go to yet. */
  #begun = false;
  readonly #audio: { unit: EncodedUnit; atMs: number }[] = [];
  /** All that was given to the sink and is not taken yet. */
  #sent: Promise<unknown> = Promise.resolve();
  #pictureSentMs = 0;

  constructor({ sink, nowMs, segmentFrames }: { sink: PathSink; nowMs: () => number; segmentFrames: number }) {
    this.#sink = sink;
    this.#nowMs = nowMs;
    this.#segmentFrames = segmentFrames;
  }

  /** When the bytes of the last picture were handed to the sink, epoch ms. */
  get pictureSentMs(): number {
    return this.#pictureSentMs;
  }

  /** Names the audio of the program, or that there is none; a change begins a new segment. */
  setAudio(layout: AudioLayout | null): void {
    if (layout?.codec === this.#layout?.codec && (layout?.codec !== 'opus' || layout.channels === this.#layout?.channels)) return;
    this.cut();
    this.#layout = layout;
    // Another program needs other tables; the next unit makes the muxer for them.
    this.#muxer = null;
    if (layout === null) this.#audio.length = 0;
  }

  /** One encoded picture. Its bytes are with the sink when this returns. */
  video(unit: EncodedUnit): void {
    // Who joins at a segment can then begin to decode with it.
    if (unit.keyframe && this.#frames > 0) this.cut();
    if (!this.#begun) {
      this.#begun = true;
      while (this.#audio.length > 0 && this.#audio[0].unit.pts < unit.pts - AUDIO_LEAD_TICKS) this.#audio.shift();
    }
    const parts = this.#audioUntil(unit.pts);
    parts.push(this.#ready().video(unit));
    this.#pictureSentMs = this.#nowMs();
    this.#write(parts);
    this.#frames += 1;
    if (this.#frames >= this.#segmentFrames) this.cut();
  }

  /** One unit of audio, in order. Returns how many units were lost for it because no picture comes. */
  audio(unit: EncodedUnit): number {
    this.#audio.push({ unit, atMs: this.#nowMs() });
    // The picture is late or will not come (a slow processor, a dropped frame): sound does not wait for it any longer.
    if (this.#begun && this.#nowMs() - this.#audio[0].atMs > AUDIO_WAIT_MS) this.#write(this.#audioUntil(Number.POSITIVE_INFINITY));
    if (this.#audio.length <= AUDIO_WAITING_MAX) return 0;
    this.#audio.shift();
    return 1;
  }

  /** Ends the open segment, if there is one. */
  cut(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#frames = 0;
    this.#send({ kind: 'cut' });
  }

  /** The stream is over: what audio is left goes out, and the segment is cut. */
  end(): void {
    if (this.#begun) this.#write(this.#audioUntil(Number.POSITIVE_INFINITY));
    this.cut();
  }

  /** Says something between the bytes. */
  event(event: WorkerEvent): void {
    this.#send({ kind: 'event', event });
  }

  /** Resolves when the sink has room again. */
  async drained(): Promise<void> {
    await this.#sent;
  }

  #audioUntil(pts: Ticks): Uint8Array[] {
    const parts: Uint8Array[] = [];
    while (this.#audio.length > 0 && this.#audio[0].unit.pts <= pts) parts.push(this.#ready().audio(this.#audio.shift()!.unit));
    return parts;
  }

  #ready(): TsMuxer {
    return (this.#muxer ??= new TsMuxer({ video: 'h264', audio: this.#layout }));
  }

  #write(parts: Uint8Array[]): void {
    if (parts.length === 0) return;
    if (!this.#open) {
      this.#open = true;
      parts.unshift(this.#ready().segmentStart());
    }
    this.#send({ kind: 'bytes', data: parts.length === 1 ? parts[0] : concat(parts) });
  }

  #send(output: Parameters<PathSink>[0]): void {
    const sent = this.#sink(output);
    this.#sent = Promise.all([this.#sent, sent]);
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
