import { RunnelError } from '@runnel/errors';
import type { AudioDecoder, AudioEncoder, EncodedUnit, MediaDriver, TsStream } from '@runnel/media-core';
import { AudioFrame } from '../sdk/audio-frame.ts';
import type { FrameProcessor } from '../sdk/processor.ts';
import { withDeadline, type PathClock } from './clock.ts';
import type { OnProcessorError } from './process-stage.ts';
import type { AudioLayout, SegmentWriter } from './segment-writer.ts';

type AudioStream = Extract<TsStream, { kind: 'audio' }>;

/** Units that may wait for the processor; the oldest are lost first. */
const WAITING_UNITS_MAX = 256;
const BITRATE_KBPS = 128;

/** Brings audio to the output: untouched, or through `processAudio` of a processor that has it. */
export interface AudioLane {
  /** The program has come: its audio, or null for none. The output says so from its first picture on, so that no viewer takes it for silent. */
  announce(stream: AudioStream | null): void;
  /** The next unit of the stream. */
  push(unit: EncodedUnit, stream: AudioStream): void;
  /** The stream is over: resolves when all of it has been handed on, or given up without `drain`. Gives all memory back. */
  end(options: { drain: boolean }): Promise<void>;
}

interface AudioLaneOptions {
  processor: FrameProcessor;
  driver: MediaDriver;
  writer: SegmentWriter;
  clock: PathClock;
  deadlineMs: number;
  onError: OnProcessorError;
  /** A block or unit was lost. */
  report: (error: unknown) => void;
}

/** Chooses the lane by what the processor can do. */
export function createAudioLane(options: AudioLaneOptions): AudioLane {
  return options.processor.processAudio === undefined ? passThrough(options) : new ProcessedAudio(options);
}

function passThrough({ writer, report }: AudioLaneOptions): AudioLane {
  return {
    announce: (stream) => writer.setAudio(layoutOf(stream)),
    push: (unit, stream) => {
      writer.setAudio(layoutOf(stream));
      if (writer.audio(unit) > 0) report(new RunnelError('broken_media', { message: 'Audio was dropped: no picture comes with it.' }));
    },
    end: () => Promise.resolve(),
  };
}

function layoutOf(stream: AudioStream | null): AudioLayout | null {
  return stream === null ? null : { codec: stream.codec, channels: stream.channels };
}

class ProcessedAudio implements AudioLane {
  readonly #options: AudioLaneOptions;
  readonly #waiting: { unit: EncodedUnit; stream: AudioStream }[] = [];
  #decoder: { codec: string; decoder: AudioDecoder } | null = null;
  /** `key` is what the encoder was opened for: another rate or channel count needs another one. */
  #encoder: { key: string; encoder: AudioEncoder } | null = null;
  /** The one loop over `#waiting`; null when there is nothing to do. */
  #work: Promise<void> | null = null;

  constructor(options: AudioLaneOptions) {
    this.#options = options;
  }

  announce(stream: AudioStream | null): void {
    this.#options.writer.setAudio(layoutOf(stream));
  }

  push(unit: EncodedUnit, stream: AudioStream): void {
    this.#waiting.push({ unit, stream });
    if (this.#waiting.length > WAITING_UNITS_MAX) {
      this.#waiting.shift();
      this.#options.report(new RunnelError('processor_failed', { message: 'Audio was dropped: the processor is too slow for it.' }));
    }
    this.#work ??= this.#run();
  }

  async end({ drain }: { drain: boolean }): Promise<void> {
    // The unit at hand is finished in any case: the decoder may not be freed under it.
    if (!drain) this.#waiting.length = 0;
    await this.#work;
    this.#encoder?.encoder.flush((unit) => this.#options.writer.audio(unit));
    this.#decoder?.decoder.close();
    this.#encoder?.encoder.close();
    this.#decoder = null;
    this.#encoder = null;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const { unit, stream } = this.#waiting.shift()!;
      try {
        const frames: AudioFrame[] = [];
        (await this.#decoderFor(stream)).decode(unit, (block) => frames.push(new AudioFrame(block)));
        for (const frame of frames) await this.#process(frame, stream);
      } catch (error) {
        this.#options.report(error);
      }
    }
    this.#work = null;
  }

  async #process(frame: AudioFrame, stream: AudioStream): Promise<void> {
    const { processor, clock, deadlineMs, onError, report, writer } = this.#options;
    let results: AudioFrame[];
    try {
      const late = () => new RunnelError('deadline_exceeded', { message: `The processor did not finish its audio in ${deadlineMs} ms.` });
      const result = processor.processAudio!(frame);
      results = (result instanceof Promise ? await withDeadline(result, { clock, deadlineMs, late }) : result) ?? [];
    } catch (error) {
      report(error);
      // Held sound would be a buzz: what is not passed through is silent.
      results = [onError === 'passthrough' ? frame : frame.withChannels(frame.channels.map(({ length }) => new Float32Array(length)))];
    }
    for (const result of results) {
      const encoder = await this.#encoderFor(result, stream);
      encoder.encode(result, (unit) => writer.audio(unit));
    }
  }

  async #decoderFor({ codec, channels }: AudioStream): Promise<AudioDecoder> {
    if (this.#decoder?.codec !== codec) {
      this.#decoder?.decoder.close();
      // The channel count of Opus stands in the program's table, that of AAC in each frame.
      const hint = codec === 'opus' ? { channels, sampleRate: 48_000 } : undefined;
      this.#decoder = { codec, decoder: await this.#options.driver.openAudioDecoder(codec, hint) };
    }
    return this.#decoder.decoder;
  }

  async #encoderFor({ sampleRate, channels }: AudioFrame, stream: AudioStream): Promise<AudioEncoder> {
    const { codec } = stream;
    const key = `${codec} ${sampleRate} ${channels.length}`;
    if (this.#encoder?.key !== key) {
      this.#encoder?.encoder.close();
      // AAC says its channels itself.
      this.#options.writer.setAudio({ codec, channels: codec === 'opus' ? channels.length : stream.channels });
      const options = { codec, sampleRate, channels: channels.length, bitrateKbps: BITRATE_KBPS };
      this.#encoder = { key, encoder: await this.#options.driver.openAudioEncoder(options) };
    }
    return this.#encoder.encoder;
  }
}
