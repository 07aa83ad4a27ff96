import { serveChild } from '../child/serve.ts';
import { writeTestClip, type TestClipSpec } from '../clip/test-clip.ts';

serveChild(async (spec: TestClipSpec, port) => {
  await port.ready();
  for await (const share of writeTestClip(spec)) await port.send({ kind: 'progress', value: share });
  await port.send({ kind: 'result', value: null });
});
