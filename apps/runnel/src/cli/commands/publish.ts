import { probe, startIngest } from '@runnel/media';
import { Command } from 'commander';
import { publishIngest } from '../../stream/publish.ts';
import { interruptible, INTERRUPTED_EXIT_CODE } from '../interrupt.ts';
import { httpUrl, seconds, wholeNumber } from '../options.ts';
import { result, say } from '../output.ts';
import { startProgress } from '../progress.ts';

interface PublishFlags {
  seconds?: number;
  loop: boolean;
  segmentFrames: number;
  bitrate: number;
  json: boolean;
}

/** `runnel publish` */
export function publishCommand(): Command {
  return new Command('publish')
    .description(
      'Send a video file to a trickle channel at its real pace, encoded as a camera would: H.264 without B-frames, AAC, MPEG-TS.',
    )
    .argument('<file>', 'video file')
    .argument('<url>', "a session's publish URL, or any trickle channel")
    .option('-s, --seconds <n>', 'send at most this much', seconds('--seconds'))
    .option('--loop', 'begin again at the end of the file', false)
    .option('--segment-frames <n>', 'frames a trickle segment holds', wholeNumber('--segment-frames', { min: 1, max: 300 }), 2)
    .option('--bitrate <kbps>', 'video bitrate, kbit/s', wholeNumber('--bitrate', { min: 50, max: 50_000 }), 2000)
    .option('--json', 'print what was sent as one JSON line', false)
    .addHelpText('after', '\nExample:\n  runnel publish my.mp4 "$(curl -s localhost:8080/v1/sessions/ID | jq -r .urls.publish)"')
    .action(async (file: string, url: string, flags: PublishFlags) => {
      await interruptible((signal) => publish(file, httpUrl('publish', url), flags, signal));
    });
}

async function publish(file: string, url: string, flags: PublishFlags, signal: AbortSignal): Promise<void> {
  const source = await probe(file);
  const length = Math.min(flags.seconds ?? Infinity, source.durationMs === null || flags.loop ? Infinity : source.durationMs / 1000);
  const ingest = await startIngest({
    input: file,
    pace: 'real-time',
    loop: flags.loop,
    segmentFrames: flags.segmentFrames,
    gopFrames: 60,
    bitrateKbps: flags.bitrate,
    ...(flags.seconds === undefined ? {} : { seconds: flags.seconds }),
  });
  const progress = startProgress({ label: 'publishing', quiet: flags.json });
  let frames = 0;
  try {
    await publishIngest(ingest, url, signal, {
      onFrame: () => {
        frames += 1;
        progress.update({ done: frames, total: Number.isFinite(length) ? Math.round(length * source.fps) : 0, note: `${frames} frames` });
      },
    });
  } finally {
    progress.finish();
  }
  if (signal.aborted) process.exitCode = INTERRUPTED_EXIT_CODE;
  if (flags.json) result(JSON.stringify({ frames }));
  else say(`Sent ${frames} frames; the channel has ended.`);
}
