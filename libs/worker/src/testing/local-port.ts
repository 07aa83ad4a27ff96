import type { RunnelError } from '@runnel/errors';
import type { FramePath } from '../path/frame-path.ts';
import type { PathOutput, PathSink } from '../path/outputs.ts';
import type { PathInput, PathPort } from '../session/messages.ts';
import { servePath } from '../session/serve-path.ts';

/** A queue that is read once and can be ended, or broken by an error. */
class Lane<T> {
  readonly #items: T[] = [];
  #end: { error: Error | null } | null = null;
  #wake: () => void = () => undefined;

  put(item: T): void {
    this.#items.push(item);
    this.#wake();
  }

  end(error: Error | null = null): void {
    this.#end ??= { error };
    this.#wake();
  }

  async *read(): AsyncGenerator<T, void> {
    for (;;) {
      if (this.#items.length > 0) yield this.#items.shift()!;
      else if (this.#end !== null) {
        if (this.#end.error !== null) throw this.#end.error;
        return;
      } else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** A frame path in this process behind the same port as one in a child. `die` breaks it as a crash would. */
export async function localPort(
  start: (sink: PathSink) => Promise<FramePath>,
): Promise<PathPort & { told: PathInput[]; die: (error: RunnelError) => void; left: Promise<void> }> {
  const inputs = new Lane<PathInput>();
  const outputs = new Lane<PathOutput>();
  const abort = new AbortController();
  const told: PathInput[] = [];
  const ready = Promise.withResolvers<void>();
  const left = servePath(
    {
      ready: async () => ready.resolve(),
      send: async (output) => outputs.put(output),
      messages: inputs.read(),
      signal: abort.signal,
    },
    start,
  ).then(() => outputs.end());
  await ready.promise;
  const stop = async () => {
    abort.abort();
    inputs.end();
    await left;
  };
  return {
    told,
    left,
    messages: outputs.read(),
    send: async (input) => {
      told.push(input);
      inputs.put(input);
    },
    stop,
    die: (error) => outputs.end(error),
  };
}
