import { TICKS_PER_SECOND, type AudioBlock, type Picture, type Ticks } from '@runnel/media-core';
import { FileDecoder } from '../file/file-decoder.ts';
import { openMediaFile, type MediaFile } from '../file/media-file.ts';

/** First PTS of a stream: far enough from zero for what lies before the first picture, as FFmpeg does it. */
export const START_PTS: Ticks = 126_000;

/** A picture or a block of sound at its time in the stream. */
export type SourceItem = { kind: 'picture'; picture: Picture } | { kind: 'block'; block: AudioBlock };

/** Reads a file once or again and again, as one stream whose times begin at `START_PTS`. */
export class FileSource {
  readonly #path: string;
  readonly #loop: boolean;
  #file: MediaFile;
  #decoder: FileDecoder;
  /** What is added to the file's own times; null until its first picture. */
  #shift: Ticks | null = null;
  #start: Ticks = START_PTS;
  #end: Ticks = START_PTS;
  /** Sound from before the first picture, whose time is not known yet. */
  #early: AudioBlock[] = [];
  #items: SourceItem[] = [];
  #frames = 0;

  private constructor(path: string, loop: boolean, file: MediaFile, decoder: FileDecoder) {
    this.#path = path;
    this.#loop = loop;
    this.#file = file;
    this.#decoder = decoder;
  }

  /** @throws RunnelError as `openMediaFile`. */
  static async open({ path, loop }: { path: string; loop: boolean }): Promise<FileSource> {
    const file = openMediaFile(path);
    try {
      return new FileSource(path, loop, file, await FileDecoder.open(file));
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** The open file; another object after each turn of a loop. */
  get file(): MediaFile {
    return this.#file;
  }

  /** Whether blocks of sound will come. */
  get hasAudio(): boolean {
    return this.#decoder.hasAudio;
  }

  /** The next item; null at the end. */
  async next(): Promise<SourceItem | null> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) return item;
      if (this.#decoder.step({ picture: (picture) => this.#onPicture(picture), block: (block) => this.#onBlock(block) })) continue;
      if (this.#items.length > 0) continue;
      // A file without a single picture would be begun again for ever.
      if (!this.#loop || this.#frames === 0) return null;
      await this.#again();
    }
  }

  /** Frees decoder, file and the pictures that nobody fetched. */
  close(): void {
    for (const item of this.#items.splice(0)) if (item.kind === 'picture') item.picture.release();
    this.#decoder.close();
    this.#file.close();
  }

  #onPicture(picture: Picture): void {
    this.#frames += 1;
    this.#shift ??= this.#start - picture.pts;
    const pts = picture.pts + this.#shift;
    this.#end = Math.max(this.#end, pts + TICKS_PER_SECOND / this.#file.fps);
    for (const block of this.#early.splice(0)) this.#onBlock(block);
    this.#items.push({ kind: 'picture', picture: { ...picture, pts } });
  }

  #onBlock(block: AudioBlock): void {
    if (this.#shift === null) {
      // At most a second of sound before the picture.
      this.#early.push(block);
      if (this.#early.length > 64) this.#early.shift();
      return;
    }
    const pts = block.pts + this.#shift;
    if (pts > this.#start - TICKS_PER_SECOND) this.#items.push({ kind: 'block', block: { ...block, pts } });
  }

  async #again(): Promise<void> {
    this.#decoder.close();
    this.#file.close();
    this.#file = openMediaFile(this.#path);
    this.#decoder = await FileDecoder.open(this.#file);
    this.#shift = null;
    this.#start = Math.round(this.#end);
  }
}
