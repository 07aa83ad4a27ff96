export { childEntry } from './child/entry.ts';
export { forkChild, type ChildExit, type ChildHandle, type ForkChildOptions } from './child/fork.ts';
export { serveChild, type ChildPort } from './child/serve.ts';
export { createNodeAvDriver } from './node-av/driver.ts';
