import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createPublisher, createSubscriber } from '@runnel/trickle-http';
import { type EdgeProcess, startEdgeProcess } from './testing/process.ts';

const MIME_TYPE = 'application/octet-stream';
let edge: EdgeProcess;

async function start(env: Record<string, string> = {}): Promise<{ url: string; opsUrl: string }> {
  edge = startEdgeProcess({ EDGE_CREATE: 'explicit', ...env });
  return (await edge.logged('listening')) as { url: string; opsUrl: string };
}

const create = (url: string) => fetch(url, { method: 'POST', headers: { 'expect-content': MIME_TYPE } });

afterEach(async () => {
  edge.child.kill('SIGKILL');
  await edge.finished;
});

describe('the process of the edge', () => {
  it('tells every wrong setting on a line of its own, without a stack, and ends with 2', async () => {
    edge = startEdgeProcess({ EDGE_PORT: '99999', EDGE_CREATE: 'maybe', EDGE_SEGMENT_MIB: '-1' });
    expect(await edge.finished).toBe(2);
    const lines = edge.output().trim().split('\n');
    expect(lines.map((line) => /^error: (EDGE_\w+): .*\[invalid_config\]$/.exec(line)?.[1])).toEqual([
      'EDGE_PORT',
      'EDGE_CREATE',
      'EDGE_SEGMENT_MIB',
    ]);
  });

  it('ends with 2 when its port is taken, and with one line that says so', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    edge = startEdgeProcess({ EDGE_PORT: String((taken.address() as AddressInfo).port) });
    expect(await edge.finished).toBe(2);
    taken.close();
    expect(edge.output().trim()).toMatch(/^error: .*\[port_in_use\]$/m);
    expect(edge.output()).not.toMatch(/^\s+at /m);
  });

  it('answers probes on the port of the channels and on its own, metrics only there', async () => {
    const { url, opsUrl } = await start();
    const { origin } = new URL(url);
    for (const base of [origin, opsUrl]) {
      expect((await fetch(`${base}/livez`)).status).toBe(200);
      expect(await (await fetch(`${base}/readyz`)).json()).toMatchObject({ status: 'ready' });
    }
    expect((await fetch(`${opsUrl}/metrics`)).status).toBe(200);
    for (const path of ['/metrics', '/', '/nothing']) {
      const answer = await fetch(`${origin}${path}`);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([404, expect.stringMatching(/^application\/problem\+json/)]);
    }
  });

  it('is not ready before it is warm', async () => {
    const { opsUrl } = await start({ EDGE_WARM_UP_MS: '1500' });
    expect(await (await fetch(`${opsUrl}/readyz`)).json()).toMatchObject({ checks: { warm_up: { ok: false } } });
    for (;;) {
      const answer = await fetch(`${opsUrl}/readyz`);
      if (answer.status === 200) break;
      await answer.arrayBuffer();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }, 30_000);
});

describe('SIGTERM', () => {
  it('lets a stream that runs come to its end without loss, and takes no new one', async () => {
    const { url, opsUrl } = await start();
    await create(`${url}/live`);
    const publisher = createPublisher({ url: `${url}/live`, mimeType: MIME_TYPE });
    const subscriber = createSubscriber({ url: `${url}/live`, start: 0 });
    const received = readAll(subscriber);
    const send = async (text: string) => {
      const writer = await publisher.open();
      await writer.write(Buffer.from(text));
      await writer.end();
    };
    await send('before ');
    const half = await publisher.open();
    await half.write(Buffer.from('across '));
    edge.child.kill('SIGTERM');
    await edge.logged('draining: no new channels');
    const refused = await create(`${url}/new`);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
    for (const base of [opsUrl, new URL(url).origin]) {
      expect(await (await fetch(`${base}/readyz`)).json()).toMatchObject({ status: 'not_ready', checks: { drain: { ok: false } } });
      expect((await fetch(`${base}/livez`)).status).toBe(200);
    }
    await half.end();
    await send('after');
    await publisher.close({ endChannel: true });
    expect(await received).toBe('before across after');
    await subscriber.close();
    expect(await edge.finished).toBe(0);
    expect(edge.output()).toContain('drained: no channel is left');
  }, 30_000);

  it('ends what has not ended by the deadline, and the process with 0', async () => {
    const { url } = await start({ EDGE_DRAIN_MS: '700' });
    await create(`${url}/live`);
    const subscriber = createSubscriber({ url: `${url}/live`, start: 0 });
    const received = readAll(subscriber);
    const publisher = createPublisher({ url: `${url}/live`, mimeType: MIME_TYPE });
    const writer = await publisher.open();
    await writer.write(Buffer.from('all of it'));
    await writer.end();
    edge.child.kill('SIGTERM');
    expect(await received).toBe('all of it');
    expect(await edge.finished).toBe(0);
    await Promise.all([subscriber.close(), publisher.close()]);
    expect(edge.output()).toContain('channels are ended by the deadline of the drain');
  }, 30_000);

  it('a second time ends the process at once, with 1', async () => {
    const { url } = await start({ EDGE_DRAIN_MS: '60000' });
    await create(`${url}/live`);
    edge.child.kill('SIGTERM');
    await edge.logged('draining: no new channels');
    edge.child.kill('SIGINT');
    expect(await edge.finished).toBe(1);
  }, 30_000);
});

async function readAll(subscriber: ReturnType<typeof createSubscriber>): Promise<string> {
  let text = '';
  for (;;) {
    const segment = await subscriber.next();
    if (segment === null) return text;
    if (segment.kind === 'gap') text += '<gap>';
    else for await (const bytes of segment.bytes) text += Buffer.from(bytes).toString();
  }
}
