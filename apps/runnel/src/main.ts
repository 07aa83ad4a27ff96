#!/usr/bin/env node
/** Entry of the command line. Everything that goes wrong ends here as one line for a person (or one JSON line) and an exit code. */
import { reportError } from './cli/output.ts';
import { createProgram } from './cli/program.ts';

const program = createProgram();
try {
  await program.parseAsync(process.argv);
} catch (thrown) {
  process.exitCode = reportError(thrown, { json: process.argv.includes('--json') });
}
