import { Command } from 'commander';
import { demoCommand } from './commands/demo.ts';
import { edgeCommand } from './commands/edge.ts';
import { inspectCommand } from './commands/inspect.ts';
import { playCommand } from './commands/play.ts';
import { publishCommand } from './commands/publish.ts';
import { startCommand } from './commands/start.ts';
import { tokenCommand } from './commands/token.ts';

/** The whole command line. Parsing errors are thrown (exit code 2), never handled by ending the process in the middle. */
export function createProgram(): Command {
  const program = new Command('runnel')
    .description(
      'Real-time AI on live video. A stream goes in over trickle, a frame processor transforms it, the result comes out in milliseconds.',
    )
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, 'error: ').trimEnd() + ' See --help. [invalid_usage]\n'),
    })
    .addHelpText(
      'after',
      `
Try it:
  runnel demo                                     a test video through the whole stack, into out.mp4
  runnel demo --input my.mp4 --processor blur     your own file, another effect

Run it:
  runnel start                                    everything in one process, with its HTTP API on port 8080
  curl -d '{"processor":"overlay"}' -H 'content-type: application/json' localhost:8080/v1/sessions
                                                  start a session; the answer holds its publish and play URLs
  runnel publish my.mp4 PUBLISH_URL               send a file as a camera would
  runnel play PLAY_URL | ffplay -                 watch the result
  runnel inspect PLAY_URL                         what a channel, a session or a file holds
  runnel edge                                     the trickle relay alone, on port 8945
  runnel token                                    keys and tokens for channels that not everybody may use`,
    );
  for (const command of [demoCommand(), startCommand(), edgeCommand(), publishCommand(), playCommand(), inspectCommand(), tokenCommand()]) {
    program.addCommand(command.exitOverride().copyInheritedSettings(program));
    for (const inner of command.commands) inner.exitOverride().copyInheritedSettings(program);
  }
  return program;
}
