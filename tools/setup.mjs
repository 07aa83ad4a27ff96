/**
 * Makes a bare clone ready: installs the dependencies when they are missing or older than the lockfile, and with `--build`
 * compiles what has changed. Runs on the machine's own Node (>= 20.11) and needs nothing installed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/** Runs a command in the repository's root; ends this process with its exit code when it fails. */
function run(command, args, what) {
  const env = {
    ...process.env,
    // The FFmpeg command line and the CUDA libraries of ONNX Runtime are not needed, and would be fetched from outside npm.
    SKIP_FFMPEG: 'true',
    ONNXRUNTIME_NODE_INSTALL: process.env.ONNXRUNTIME_NODE_INSTALL ?? 'skip',
    NX_DAEMON: 'false',
    PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`,
  };
  const done = spawnSync(command, args, { cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 });
  if (done.status === 0) return;
  process.stderr.write(`${done.stdout ?? ''}${done.stderr ?? ''}\n${what} failed${done.error ? `: ${done.error.message}` : ''}.\n`);
  process.exit(done.status ?? 1);
}

/** npm writes its own copy of the lockfile at the end of an install; a lockfile that is newer by more than that tail wants another. */
function isInstalled() {
  const written = join(root, 'node_modules', '.package-lock.json');
  return existsSync(written) && statSync(join(root, 'package-lock.json')).mtimeMs < statSync(written).mtimeMs + 30_000;
}

if (!isInstalled()) {
  process.stderr.write('Installing dependencies (once; about a minute) …\n');
  // Not `npm ci`: it refuses a lockfile written where the optional binaries of other platforms could not be resolved. `--no-save` keeps the lockfile as it is.
  run(npm, ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], 'npm install');
}
// A package manager that holds back install scripts leaves the pinned Node out.
if (!existsSync(join(root, 'node_modules', 'node', 'bin', 'node')))
  run(npm, ['rebuild', 'node', '--foreground-scripts'], 'npm rebuild node');
if (process.argv.includes('--build')) {
  if (!existsSync(join(root, 'apps', 'runnel', 'dist', 'main.js'))) process.stderr.write('Building (a few seconds) …\n');
  run('nx', ['run-many', '-t', 'build', '--output-style=static'], 'The build');
}
