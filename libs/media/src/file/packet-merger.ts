import { Timeline, TICKS_PER_SECOND, type Ticks } from '@runnel/media-core';
import type { Packet, Rational } from 'node-av/lib';
import { newPacket, timeOf } from '../node-av/ffmpeg.ts';
import { toTicks, type MediaFile } from './media-file.ts';

/** Packets of both streams that may wait for each other; files interleave them within a second or two. */
const WAITING_MAX = 1024;

/** A step back by more than this, or forward by more than that, is a jump; as FFmpeg's own tools have it. */
const JITTER_TICKS: Ticks = TICKS_PER_SECOND;
const FORWARD_MAX_TICKS: Ticks = 10 * TICKS_PER_SECOND;

interface Waiting {
  packet: Packet;
  ticks: number;
}

/** Reads the packets of a file in the order of their times, where containers keep them only roughly in order. */
export class PacketMerger {
  readonly #file: MediaFile;
  readonly #queues: { video: Waiting[]; audio: Waiting[] } = { video: [], audio: [] };
  readonly #free: Packet[] = [];
  /** Bridges jumps of the times; null for a container that has none. */
  readonly #timeline: Timeline | null;
  #ended = false;

  constructor(file: MediaFile) {
    this.#file = file;
    const jitterTicks = { video: JITTER_TICKS, audio: JITTER_TICKS };
    this.#timeline = file.mayJump ? new Timeline({ jitterTicks, forwardMaxTicks: FORWARD_MAX_TICKS }) : null;
  }

  /** The next packet; null at the end. Valid during the callback. */
  next(take: (kind: 'video' | 'audio', packet: Packet) => void): boolean {
    this.#readAhead();
    const { video, audio } = this.#queues;
    const kind = audio.length === 0 || (video.length > 0 && video[0].ticks <= audio[0].ticks) ? 'video' : 'audio';
    const next = this.#queues[kind].shift();
    if (next === undefined) return false;
    try {
      take(kind, next.packet);
    } finally {
      next.packet.unref();
      this.#free.push(next.packet);
    }
    return true;
  }

  /** Frees the packets that were read ahead of their turn. */
  close(): void {
    for (const { packet } of [...this.#queues.video.splice(0), ...this.#queues.audio.splice(0)]) packet.free();
    for (const packet of this.#free.splice(0)) packet.free();
  }

  #readAhead(): void {
    const { video, audio } = this.#queues;
    while (!this.#ended && (video.length === 0 || (this.#file.audio !== null && audio.length === 0))) {
      if (video.length + audio.length >= WAITING_MAX) return;
      const packet = this.#free.pop() ?? newPacket();
      const kind = this.#file.read(packet);
      if (kind === null) {
        this.#ended = true;
        this.#free.push(packet);
        return;
      }
      const stream = kind === 'video' ? this.#file.video : this.#file.audio!;
      const time = timeOf(packet.dts) ?? timeOf(packet.pts);
      // A packet without any time follows the one before it.
      const ticks = time === null ? (this.#queues[kind].at(-1)?.ticks ?? 0) : toTicks(time, stream.timeBase);
      const offset = time === null ? 0 : (this.#timeline?.offsetOf(ticks, kind) ?? 0);
      if (offset !== 0) move(packet, offset, stream.timeBase);
      this.#queues[kind].push({ packet, ticks: ticks + offset });
    }
  }
}

/** Moves the times of a packet. */
function move(packet: Packet, offset: Ticks, { num, den }: Rational): void {
  const by = BigInt(Math.round((offset * den) / (num * TICKS_PER_SECOND)));
  if (timeOf(packet.dts) !== null) packet.dts += by;
  if (timeOf(packet.pts) !== null) packet.pts += by;
}
