import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeTestClip } from '@runnel/media';
import type { ParamValues } from '@runnel/schemas';
import { createLogger } from '@runnel/service';
import { Command } from 'commander';
import { runDemo } from '../../demo/demo.ts';
import { renderSummary } from '../../demo/summary.ts';
import { interruptible, INTERRUPTED_EXIT_CODE } from '../interrupt.ts';
import { collectParam, seconds } from '../options.ts';
import { result, say } from '../output.ts';
import { startProgress } from '../progress.ts';

/** Length of the clip that is made when no input is given, s. */
const CLIP_SECONDS = 10;
/** The effect of a demo that was told nothing: a tint, which becomes another in the middle of the stream. */
const SHOWCASE = { processor: 'tint', params: { color: '#18b7a0', amount: 0.5 }, midway: { color: '#e0559b' } } as const;

interface DemoFlags {
  input?: string;
  processor?: string;
  param: ParamValues;
  output: string;
  seconds?: number;
  json: boolean;
  verbose: boolean;
}

/** `runnel demo` */
export function demoCommand(): Command {
  return new Command('demo')
    .description('Run a video through the whole stack on this machine at its real pace, and write the result.')
    .option('-i, --input <file>', 'video to send (default: a test video is made, with a burnt-in frame counter and sound)')
    .option('-p, --processor <name>', 'what to do with each frame: passthrough, grayscale, tint, overlay, blur, onnx (default: tint)')
    .option('--param <key=value>', 'a parameter of the processor; may be repeated', collectParam, {})
    .option('-o, --output <file>', 'MP4 to write', 'out.mp4')
    .option('-s, --seconds <n>', 'send at most this much of the video', seconds('--seconds'))
    .option('--json', 'print the summary as one JSON line', false)
    .option('-v, --verbose', 'show what the services log', false)
    .addHelpText(
      'after',
      `
Examples:
  runnel demo
  runnel demo --processor overlay --param text="hello" --seconds 5
  runnel demo --input my.mp4 --processor blur --param radius=8 --output soft.mp4
  runnel demo --processor onnx --param model=libs/worker/models/invert.onnx
  runnel demo --json | tail -1 | jq .latencyMs

Latency is measured for every frame, from the instant it is due at the source to the instant the viewer has decoded it.
Ctrl-C ends the source; the file is finished and stays playable.`,
    )
    .action(async (flags: DemoFlags) => {
      await interruptible((signal) => demo(flags, signal));
    });
}

async function demo(flags: DemoFlags, signal: AbortSignal): Promise<void> {
  const quiet = flags.json;
  const tell = (line: string) => (quiet ? undefined : say(line));
  const folder = await mkdtemp(join(tmpdir(), 'runnel-demo-'));
  try {
    const input = flags.input ?? (await makeInput(join(folder, 'clip.mp4'), flags.seconds ?? CLIP_SECONDS, quiet));
    const showcase = flags.input === undefined && flags.processor === undefined && Object.keys(flags.param).length === 0;
    const progress = startProgress({ label: 'streaming', quiet });
    try {
      const summary = await runDemo({
        input,
        processor: flags.processor ?? SHOWCASE.processor,
        params: showcase ? SHOWCASE.params : flags.param,
        paramsMidway: showcase ? SHOWCASE.midway : null,
        output: flags.output,
        seconds: flags.seconds ?? null,
        logger: createLogger({ name: 'runnel', level: flags.verbose ? 'info' : 'error' }),
        signal,
        onProgress: (frames, total) => progress.update({ done: frames, total: Math.max(total, frames), note: `${frames} frames` }),
        onEvent: (event) => {
          if (event.type === 'params_applied' && event.revision > 0)
            progress.note(`parameters of revision ${event.revision} apply from frame ${event.frame} on`);
          if (event.type === 'warning' || event.type === 'error') progress.note(`${event.type}: ${event.message}`);
        },
      });
      progress.finish();
      if (signal.aborted) process.exitCode = INTERRUPTED_EXIT_CODE;
      if (flags.json) result(JSON.stringify(summary));
      else for (const line of renderSummary(summary)) result(line);
      tell(`\nWatch it: ffplay ${flags.output}. Next: runnel demo --help, or \`npm start\` for the HTTP API.`);
    } finally {
      progress.finish();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeInput(path: string, length: number, quiet: boolean): Promise<string> {
  const progress = startProgress({ label: 'test clip', quiet });
  try {
    await makeTestClip({
      path,
      seconds: length,
      onProgress: (share) => progress.update({ done: share, total: 1, note: `${length} s, 640x360, 30 frames a second` }),
    });
  } finally {
    progress.finish();
  }
  return path;
}
