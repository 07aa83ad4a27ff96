import { serveChild } from '../child/serve.ts';
import { inspectFile } from '../clip/inspect.ts';

/** What the child is given: the path of the file to look at. */
export interface InspectInit {
  path: string;
}

serveChild(async ({ path }: InspectInit, port) => {
  await port.ready();
  await port.send({ kind: 'result', value: await inspectFile(path) });
});
