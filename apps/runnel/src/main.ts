#!/usr/bin/env node
/** Entry of the command line. Everything that goes wrong ends here as one line for a person (or one JSON line) and an exit code. */
import { RunnelError } from '@runnel/errors';
import { reportError } from './cli/output.ts';
import { createProgram } from './cli/program.ts';

/** Oldest Node that the services run on. */
const NODE_MAJOR_MIN = 22;

try {
  if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
    throw new RunnelError('invalid_usage', {
      message: `Node ${process.versions.node} is too old; Runnel needs ${NODE_MAJOR_MIN} or newer.`,
      hint: 'Use `npm run runnel -- …`, which brings its own Node.',
    });
  }
  const program = createProgram();
  await program.parseAsync(process.argv);
} catch (thrown) {
  process.exitCode = reportError(thrown, { json: process.argv.includes('--json') });
}
