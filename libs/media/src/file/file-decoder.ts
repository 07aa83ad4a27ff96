import type { AudioBlock, Picture } from '@runnel/media-core';
import type { Packet } from 'node-av/lib';
import { openAudioDecoder, type NativeAudioDecoder } from '../node-av/audio-decoder.ts';
import { openVideoDecoder, type NativeVideoDecoder } from '../node-av/video-decoder.ts';
import { toTicks, type MediaFile } from './media-file.ts';
import { PacketMerger } from './packet-merger.ts';

/** Receives what a file holds, audio and video roughly in the order of their times. */
export interface FileSink {
  /** The receiver releases the picture. PTS in ticks, as the file has them. */
  picture: (picture: Picture) => void;
  block: (block: AudioBlock) => void;
}

/** Decodes a file piece by piece. */
export class FileDecoder {
  readonly #file: MediaFile;
  readonly #video: NativeVideoDecoder;
  readonly #audio: NativeAudioDecoder | null;
  readonly #merger: PacketMerger;
  #ended = false;
  /** Packets that could not be decoded. */
  broken = 0;

  private constructor(file: MediaFile, video: NativeVideoDecoder, audio: NativeAudioDecoder | null) {
    this.#file = file;
    this.#video = video;
    this.#audio = audio;
    this.#merger = new PacketMerger(file);
  }

  /** Opens the decoders. Audio that cannot be decoded is left out. @throws RunnelError `unsupported_codec`. */
  static async open(file: MediaFile): Promise<FileDecoder> {
    const video = await openVideoDecoder(file.video.codecpar.codecId, file.video.codecpar);
    const audio =
      file.audio === null
        ? null
        : await openAudioDecoder(file.audio.codecpar.codecId, {
            stream: { parameters: file.audio.codecpar, timeBase: file.audio.timeBase },
          }).catch(() => null);
    return new FileDecoder(file, video, audio);
  }

  /** Whether sound will come; false too for sound that cannot be decoded. */
  get hasAudio(): boolean {
    return this.#audio !== null;
  }

  /** Decodes one packet; what is ready goes to the sink. False when the file has ended. */
  step(sink: FileSink): boolean {
    if (this.#ended) return false;
    if (this.#merger.next((kind, packet) => (kind === 'video' ? this.#decodeVideo(packet, sink) : this.#decodeAudio(packet, sink))))
      return true;
    this.#ended = true;
    this.#decodeVideo(null, sink);
    this.#decodeAudio(null, sink);
    return false;
  }

  /** Frees the decoders, not the file, which belongs to whoever opened it. */
  close(): void {
    this.#merger.close();
    this.#video.close();
    this.#audio?.close();
  }

  #decodeVideo(packet: Packet | null, sink: FileSink): void {
    const { timeBase } = this.#file.video;
    this.#guard(() => this.#video.decodePacket(packet, (picture) => sink.picture({ ...picture, pts: toTicks(picture.pts, timeBase) })));
  }

  #decodeAudio(packet: Packet | null, sink: FileSink): void {
    if (this.#audio === null || this.#file.audio === null) return;
    const { timeBase } = this.#file.audio;
    const audio = this.#audio;
    this.#guard(() => audio.decodePacket(packet, (block) => sink.block({ ...block, pts: toTicks(block.pts, timeBase) })));
  }

  /** A packet that cannot be decoded costs itself, not the rest of the file. */
  #guard(decode: () => void): void {
    try {
      decode();
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'broken_media') throw error;
      this.broken += 1;
    }
  }
}
