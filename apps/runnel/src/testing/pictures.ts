import { TsDemuxer, type EncodedUnit, type MediaDriver, type Picture } from '@runnel/media-core';

/** What a test wants to know of a decoded picture. */
export interface SeenPicture {
  pts: number;
  /** Mean of the Cr plane, 0 to 255; 128 is no colour, red lies above, blue and green below. */
  meanCr: number;
}

/** Decodes the H.264 of a transport stream and looks at each picture, in order. */
export async function readPictures(driver: MediaDriver, chunks: readonly Uint8Array[]): Promise<SeenPicture[]> {
  const units: EncodedUnit[] = [];
  const demuxer = new TsDemuxer({
    onUnit: (unit, stream) => {
      if (stream.codec === 'h264') units.push(unit);
    },
  });
  for (const chunk of chunks) demuxer.push(chunk);
  demuxer.flush();
  const decoder = await driver.openVideoDecoder('h264');
  const seen: SeenPicture[] = [];
  const look = (picture: Picture) => {
    seen.push({ pts: picture.pts, meanCr: mean(picture) });
    picture.release();
  };
  for (const unit of units) decoder.decode(unit, look);
  decoder.flush(look);
  decoder.close();
  return seen;
}

function mean(picture: Picture): number {
  const [width, height] = [(picture.width + 1) >> 1, (picture.height + 1) >> 1];
  let sum = 0;
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) sum += picture.planes[2][y * picture.strides[2] + x];
  return sum / (width * height);
}
