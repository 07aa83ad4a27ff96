import { existsSync } from 'node:fs';
import { inspectClip } from '@runnel/media';
import { RunnelError } from '@runnel/errors';
import { Command } from 'commander';
import { renderFields } from '../fields.ts';
import { httpUrl } from '../options.ts';
import { result } from '../output.ts';

/** Deadline of the one request that inspecting a URL makes, ms. */
const DEADLINE_MS = 5_000;

/** `runnel inspect` */
export function inspectCommand(): Command {
  return new Command('inspect')
    .description('Show what a channel, a session or a media file holds.')
    .argument('<target>', 'a trickle channel URL, a session URL (http://…/v1/sessions/ID), or a path')
    .option('--json', 'print one JSON line', false)
    .addHelpText(
      'after',
      `
Examples:
  runnel inspect out.mp4                                        frames, counter read back, sound against picture
  runnel inspect http://127.0.0.1:8081/trickle/CHANNEL          window, publishers, subscribers, bytes
  runnel inspect http://127.0.0.1:8080/v1/sessions/ID           state, parameters, latency`,
    )
    .action(async (target: string, flags: { json: boolean }) => {
      const found = /^https?:\/\//.test(target) ? await fetchJson(httpUrl('inspect', target)) : await inspectFile(target);
      if (flags.json) result(JSON.stringify(found));
      else for (const line of renderFields(found)) result(line);
    });
}

async function inspectFile(path: string): Promise<object> {
  if (!existsSync(path)) throw new RunnelError('file_not_found', { message: `There is no file '${path}'.` });
  return inspectClip(path);
}

async function fetchJson(url: string): Promise<object> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(DEADLINE_MS), headers: { accept: 'application/json' } });
  } catch (cause) {
    throw new RunnelError('edge_unreachable', { message: `No answer from ${new URL(url).host}.`, cause });
  }
  const text = await response.text();
  if (response.status === 404) throw new RunnelError('channel_not_found', { message: `${new URL(url).host} has nothing at that path.` });
  if (!response.ok) throw new RunnelError('edge_unreachable', { message: `${new URL(url).host} answered ${response.status}.` });
  try {
    return JSON.parse(text) as object;
  } catch (cause) {
    throw new RunnelError('invalid_usage', { message: 'That URL is neither a channel nor a session.', cause });
  }
}
