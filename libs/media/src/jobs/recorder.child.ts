import { TsDemuxer, type EncodedUnit, type TsStream } from '@runnel/media-core';
import { serveChild } from '../child/serve.ts';
import { checkWritable } from '../file/mp4-writer.ts';
import { createNodeAvDriver } from '../node-av/driver.ts';
import { epochMs } from '../child/clock.ts';
import type { RecorderCommand, RecorderOptions, RecorderReply } from './recorder.ts';
import { Recording } from './recording.ts';
import { Viewer } from './viewer.ts';

serveChild(async ({ output, decode }: RecorderOptions, port) => {
  checkWritable(output);
  const recording = new Recording({ path: output });
  const viewer = decode ? new Viewer(createNodeAvDriver()) : null;
  const units: { unit: EncodedUnit; stream: TsStream }[] = [];
  const demuxer = new TsDemuxer({
    onUnit: (unit, stream) => units.push({ unit, stream }),
    onProgram: (program) => recording.setProgram(program),
  });

  const drain = async (receivedMs: number): Promise<void> => {
    for (const { unit, stream } of units.splice(0)) {
      if (stream.kind === 'video' && viewer !== null) {
        const pictures = await viewer.see(unit, stream.codec);
        const decodedMs = epochMs();
        for (const pts of pictures) await port.send({ kind: 'frame', pts, receivedMs, decodedMs } satisfies RecorderReply);
      }
      recording.add(unit, stream);
    }
  };
  await port.ready();
  let finished = false;
  try {
    for await (const message of port.messages) {
      const command = message as RecorderCommand;
      if (command.kind === 'finish') {
        finished = true;
        break;
      }
      demuxer.push(command.data);
      await drain(command.receivedMs);
    }
    demuxer.flush();
    await drain(epochMs());
    // Also when the parent is gone: the file is whole then.
    const summary = recording.finish();
    if (finished) await port.send({ kind: 'summary', summary } satisfies RecorderReply);
  } finally {
    recording.close();
    viewer?.close();
  }
});
