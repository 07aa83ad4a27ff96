/** The child process of one session: the codec, the frame path and the processor, away from the network. */
import { RunnelError } from '@runnel/errors';
import { createNodeAvDriver, epochMs, serveChild } from '@runnel/media';
import { FramePath, servePath, systemClock, type PathInput } from '@runnel/worker';
import type { ChildInit } from './child-init.ts';
import { loadProcessors } from './processors.ts';

serveChild(async ({ session, modules, tuning }: ChildInit, port) => {
  const definition = (await loadProcessors(modules)).get(session.processor);
  if (definition === undefined) throw new RunnelError('unknown_processor', { message: `There is no processor '${session.processor}'.` });
  const messages = port.messages as AsyncIterable<PathInput>;
  const { params, output, trace } = session;
  await servePath({ ready: port.ready, send: port.send, messages, signal: port.signal }, (sink) =>
    FramePath.start({
      definition,
      params,
      output,
      trace,
      tuning,
      driver: createNodeAvDriver(),
      clock: { ...systemClock, nowMs: epochMs },
      sink,
    }),
  );
});
