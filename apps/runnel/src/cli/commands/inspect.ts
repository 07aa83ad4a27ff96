import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspectClip } from '@runnel/media';
import { RunnelError } from '@runnel/errors';
import { Command } from 'commander';
import { type Inspection, inspectUrl } from '../../inspect/inspect-url.ts';
import { renderTimeline } from '../../inspect/timeline-view.ts';
import { renderFields } from '../fields.ts';
import { interruptible } from '../interrupt.ts';
import { httpUrl } from '../options.ts';
import { result, say } from '../output.ts';

/** Between two looks with --follow, ms. */
const FOLLOW_MS = 1000;
/** Moves to the upper left corner and clears what is below. */
const CLEAR_TERMINAL = '\u001B[H\u001B[J';

interface InspectFlags {
  follow: boolean;
  json: boolean;
}

/** `runnel inspect` */
export function inspectCommand(): Command {
  return new Command('inspect')
    .description('Show what a channel, a session or a media file holds, and what lately happened to a channel.')
    .argument('<target>', 'a trickle channel URL, a session URL (http://…/v1/sessions/ID), or a path')
    .option('--follow', 'look again every second until the channel has ended or Ctrl-C', false)
    .option('--json', 'print one JSON line a look', false)
    .addHelpText(
      'after',
      `
Examples:
  runnel inspect out.mp4                                        frames, counter read back, sound against picture
  runnel inspect http://127.0.0.1:8081/trickle/CHANNEL          window, publishers, subscribers, its newest segments
  runnel inspect http://127.0.0.1:8081/trickle/CHANNEL --follow the same as it changes
  runnel inspect http://127.0.0.1:8080/v1/sessions/ID           state, parameters, latency`,
    )
    .action(async (target: string, flags: InspectFlags) => {
      if (/^https?:\/\//.test(target)) await interruptible((signal) => lookAtUrl(httpUrl('inspect', target), flags, signal));
      else await lookAtFile(target, flags);
    });
}

async function lookAtFile(path: string, flags: InspectFlags): Promise<void> {
  if (flags.follow) throw new RunnelError('invalid_usage', { message: '--follow wants a URL: a file does not change.' });
  if (!existsSync(path)) throw new RunnelError('file_not_found', { message: `There is no file '${path}'.` });
  const found = await inspectClip(path);
  if (flags.json) result(JSON.stringify(found));
  else for (const line of renderFields(found)) result(line);
}

async function lookAtUrl(url: string, flags: InspectFlags, signal: AbortSignal): Promise<void> {
  let seen = false;
  try {
    do {
      show(await inspectUrl(url, signal), flags);
      seen = true;
      if (flags.follow) await sleep(FOLLOW_MS, undefined, { signal });
    } while (flags.follow);
  } catch (error) {
    if (signal.aborted) return;
    if (!seen || !(error instanceof RunnelError) || error.code !== 'channel_not_found') throw error;
    if (!flags.json) say('The channel has ended.');
  }
}

function show({ facts, timeline, notes }: Inspection, flags: InspectFlags): void {
  if (flags.json) {
    result(JSON.stringify('channel' in facts ? { ...facts, timeline } : facts));
    return;
  }
  const lines = [...renderFields(facts), ...(timeline === null ? [] : ['', ...renderTimeline(timeline)])];
  result((flags.follow && process.stdout.isTTY ? CLEAR_TERMINAL : '') + lines.join('\n'));
  for (const note of notes) say(note);
  if (flags.follow && !process.stdout.isTTY) result('');
}
