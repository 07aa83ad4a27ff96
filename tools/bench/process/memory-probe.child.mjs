/**
 * Loaded into a server before its own code (`--expose-gc --import`): on SIGUSR2 it collects garbage and writes what is left as one JSON line
 * `{"memory": {rss, heapUsed, external, arrayBuffers}}` in bytes to standard error. So a figure tells what is held, not what waits to be collected.
 */
process.on('SIGUSR2', () => {
  globalThis.gc();
  process.stderr.write(`${JSON.stringify({ memory: process.memoryUsage() })}\n`);
});
