import type { RequestListener, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../testing/bench.ts';
import { makePair } from '../testing/certificates.ts';
import { put, read, Stage } from '../testing/edges.ts';

const NEXT_TARGET = -1;

describe('an upstream edge', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });
  afterEach(() => stage.close());

  /** An edge whose upstream answers as a test wants it to. */
  async function behind(listener: RequestListener, options: Parameters<Stage['edge']>[0] = {}) {
    const { url } = await stage.server(listener);
    const edge = await stage.edge({ upstreams: `*=${url}`, ...options });
    return { ...edge, open: (channel = 'c', via: string | null = null) => edge.upstream.open({ channel, target: NEXT_TARGET, via }) };
  }

  describe('that has lost the connection', () => {
    it('is found again, and nothing is missed that it still holds', async () => {
      const owner = await stage.edge();
      const channel = owner.relay.hub.create({ name: 'c', mimeType: 'x/y' });
      const network = await stage.network(owner);
      const edge = await stage.edge({ upstreams: `*=${network.url}` });
      const subscriber = stage.subscriber(edge, 0);
      put(channel, 'zero');
      expect(await read(subscriber)).toEqual([0, 'zero']);
      const next = read(subscriber);
      await eventually(() => edge.relay.hub.get('c')?.readers === 1 && channel.readers === 1);
      await network.cut();
      await eventually(() => channel.readers === 0);
      for (const text of ['one', 'two', 'three']) put(channel, text);
      await network.restore();
      expect([await next, await read(subscriber), await read(subscriber)]).toEqual([
        [1, 'one'],
        [2, 'two'],
        [3, 'three'],
      ]);
      expect([edge.upstream.counters.gaps, edge.upstream.counters.reconnects]).toEqual([0, 1]);
    });

    it('cuts the segment that was under way, and tells what has left the window meanwhile as a gap', async () => {
      const owner = await stage.edge({ relay: { limits: { windowAgeMs: 0 } } });
      const channel = owner.relay.hub.create({ name: 'c', mimeType: 'x/y' });
      const network = await stage.network(owner);
      const edge = await stage.edge({ upstreams: `*=${network.url}` });
      const subscriber = stage.subscriber(edge, 0);
      const pending = read(subscriber);
      await eventually(() => channel.readers === 1);
      const writer = channel.write(0);
      writer.write(Buffer.from('half'));
      await eventually(() => edge.relay.hub.get('c')?.counters.bytesIn === 4);
      await network.cut();
      await expect(pending).rejects.toMatchObject({ code: 'segment_cut' });
      writer.end();
      for (let seq = 1; seq < 12; seq += 1) put(channel, `s${seq}`);
      owner.relay.hub.sweep(Date.now() + 60_000);
      await network.restore();
      expect(await subscriber.next()).toMatchObject({ kind: 'gap', from: 1, to: 7 });
      expect(await read(subscriber)).toEqual([7, 's7']);
    });

    it('ends the channel for its readers when it stays away', async () => {
      const owner = await stage.edge();
      owner.relay.hub.create({ name: 'c', mimeType: 'x/y' });
      const network = await stage.network(owner);
      const edge = await stage.edge({ upstreams: `*=${network.url}`, outageMs: 200 });
      const pending = read(stage.subscriber(edge, 0));
      await eventually(() => edge.relay.hub.get('c')?.readers === 1);
      await network.cut();
      expect(await pending).toBeNull();
      await eventually(() => edge.upstream.mirrors === 0);
      expect([edge.relay.hub.size, edge.upstream.counters.lost]).toEqual([0, 1]);
      expect((await fetch(`${edge.url}c/0`)).status).toBe(502);
    });

    it('and comes back with another channel of that name ends the mirror; the next reader gets the new one', async () => {
      const owner = await stage.edge();
      const { hub } = owner.relay;
      const first = hub.create({ name: 'c', mimeType: 'x/y' });
      put(first, 'old');
      const network = await stage.network(owner);
      const edge = await stage.edge({ upstreams: `*=${network.url}` });
      const subscriber = stage.subscriber(edge, 0);
      expect(await read(subscriber)).toEqual([0, 'old']);
      const pending = read(subscriber);
      await eventually(() => first.readers === 1);
      await network.cut();
      first.end();
      // Times of creation differ by a millisecond at least.
      await new Promise((resolve) => setTimeout(resolve, 5));
      const second = hub.create({ name: 'c', mimeType: 'x/z' });
      for (const text of ['new 0', 'new 1', 'new 2']) put(second, text);
      await network.restore();
      expect(await pending).toBeNull();
      await eventually(() => edge.relay.hub.size === 0);
      expect(await read(stage.subscriber(edge, 1))).toEqual([1, 'new 1']);
      expect(edge.relay.hub.get('c')?.mimeType).toBe('x/z');
    });
  });

  describe('that does not have the channel', () => {
    it('is asked once for a name, however often that is asked for', async () => {
      let asked = 0;
      const { open, upstream } = await behind(
        (_req, res) => {
          asked += 1;
          res.writeHead(404).end('Stream not found');
        },
        { notFoundMs: 5000 },
      );
      for (let round = 0; round < 20; round += 1) {
        expect(await Promise.all(Array.from({ length: 50 }, () => open()))).toEqual(Array.from({ length: 50 }, () => null));
      }
      expect([asked, upstream.counters.notFound, upstream.counters.remembered]).toEqual([1, 1, 950]);
    });

    it('is asked again after a moment', async () => {
      const owner = await stage.edge();
      const edge = await stage.edge({ upstreams: `*=${owner.url}`, notFoundMs: 100 });
      expect((await fetch(`${edge.url}c/next`)).status).toBe(404);
      const channel = owner.relay.hub.create({ name: 'c', mimeType: 'x/y' });
      put(channel, 'x');
      expect((await fetch(`${edge.url}c/next`)).status).toBe(404);
      await new Promise((resolve) => setTimeout(resolve, 120));
      expect(await (await fetch(`${edge.url}c/next`)).text()).toBe('1');
    });

    it('is not flooded by a thousand names at once', async () => {
      let now = 0;
      let most = 0;
      const { upstream, open } = await behind(
        (_req, res) => {
          most = Math.max(most, (now += 1));
          setTimeout(() => {
            now -= 1;
            res.writeHead(404).end('Stream not found');
          }, 20);
        },
        { maxAsking: 16, maxMirrors: 50 },
      );
      const outcomes = await Promise.allSettled(Array.from({ length: 1000 }, (_, index) => open(`n${index}`)));
      const codes = new Set(outcomes.map((one) => (one.status === 'rejected' ? (one.reason as { code: string }).code : 'not found')));
      expect(codes).toEqual(new Set(['not found', 'overloaded', 'limit_exceeded']));
      expect([most <= 16, upstream.mirrors]).toEqual([true, 0]);
      expect(await open('later')).toBeNull();
    });

    it('is not asked for a name that no channel can have, nor for one of its own', async () => {
      let asked = 0;
      const { open } = await behind((_req, res) => {
        asked += 1;
        res.writeHead(404).end();
      });
      expect(await Promise.all(['_changes', '../x', 'a/b', 'a?b', '', 'x'.repeat(201)].map((name) => open(name)))).toEqual(
        Array.from({ length: 6 }, () => null),
      );
      expect(asked).toBe(0);
    });
  });

  describe('that does not answer', () => {
    it('is given up at the deadline, and let alone for a while', async () => {
      let asked = 0;
      const { open, upstream } = await behind(
        () => {
          asked += 1;
        },
        { openMs: 150 },
      );
      await expect(open()).rejects.toMatchObject({ code: 'deadline_exceeded', status: 504 });
      await expect(open()).rejects.toMatchObject({ code: 'deadline_exceeded' });
      await expect(open('other')).rejects.toMatchObject({ code: 'edge_unreachable' });
      expect([asked, upstream.counters.failures]).toEqual([1, 1]);
    });

    it('has the same deadline when it is the directory', async () => {
      const edge = await stage.edge({ directory: { find: () => new Promise(() => {}) }, openMs: 50 });
      expect((await fetch(`${edge.url}c/0`)).status).toBe(504);
    });

    it('is told apart from one that refuses connections', async () => {
      const { url, server } = await stage.server(() => {});
      await new Promise((resolve) => server.close(resolve));
      const edge = await stage.edge({ upstreams: `*=${url}` });
      const failed = edge.upstream.open({ channel: 'c', target: 0, via: null });
      await expect(failed).rejects.toMatchObject({ code: 'edge_unreachable', message: 'The upstream edge cannot be reached.' });
    });

    it('does not keep the edge from closing', async () => {
      const { open, upstream } = await behind(() => {});
      const pending = open();
      await new Promise((resolve) => setTimeout(resolve, 20));
      const closed = upstream.close();
      await expect(pending).rejects.toMatchObject({ code: 'shutting_down' });
      await closed;
      await upstream.close();
      await expect(open()).rejects.toMatchObject({ code: 'shutting_down' });
    });
  });

  describe('that wants a token', () => {
    async function guarded(accepts: (path: string) => boolean) {
      let minted = 0;
      const paths: string[] = [];
      const { url } = await stage.server((req, res) => {
        paths.push(req.url!);
        if (!accepts(req.url!)) res.writeHead(401).end('no');
        else if (/\/c(\?.*)?$/.test(req.url!)) metadata(res, { seq: 4, oldest: 0 });
      });
      const directory = { find: async () => ({ url: () => `${url}tok${(minted += 1)}/c` }) };
      const edge = await stage.edge({ directory });
      return { open: () => edge.upstream.open({ channel: 'c', target: NEXT_TARGET, via: null }), paths };
    }

    it('gets another one when the first is refused', async () => {
      const { open, paths } = await guarded((path) => path.includes('/tok2/'));
      expect((await open())?.nextWrite).toBe(4);
      await eventually(() => paths.includes('/trickle/tok2/c/4'));
      expect(paths.slice(0, 2)).toEqual(['/trickle/tok1/c?start=-1', '/trickle/tok2/c?start=-1']);
    });

    it('is not asked a third time: the channel is not there', async () => {
      const { open, paths } = await guarded(() => false);
      expect(await open()).toBeNull();
      expect(paths).toHaveLength(2);
    });
  });

  it('is read over TLS when its certificate is trusted, and not otherwise', async () => {
    const pair = await makePair();
    const url = await stage.tlsServer(pair, (req, res) => {
      if (/c(\?.*)?$/.test(req.url!)) metadata(res, { seq: 3 });
      else if (req.url!.endsWith('/c/2')) res.writeHead(200, { 'Lp-Trickle-Seq': '2' }).end('two');
    });
    const trusting = await stage.edge({ upstreams: `*=${url}`, ca: pair.cert });
    expect(await read(stage.subscriber(trusting, 'current'))).toEqual([2, 'two']);
    const other = await stage.edge({ upstreams: `*=${url}` });
    expect((await fetch(`${other.url}c/2`)).status).toBe(502);
  });

  it('is never followed to where it redirects', async () => {
    let elsewhere = 0;
    const other = await stage.server((_req, res) => {
      elsewhere += 1;
      res.end();
    });
    const { open } = await behind((_req, res) => res.writeHead(302, { Location: other.url }).end());
    await expect(open()).rejects.toMatchObject({ code: 'edge_unreachable' });
    expect(elsewhere).toBe(0);
  });

  it('cannot put anything but a MIME type into the head of our answers', async () => {
    const { open } = await behind((req, res) => {
      if (/c(\?.*)?$/.test(req.url!)) metadata(res, { seq: 0, mimeType: 'a/b\r\nSet-Cookie: x' });
    });
    expect((await open())?.mimeType).toBe('application/octet-stream');
  });

  it('hears on whose behalf it is asked', async () => {
    const seen = new Set<unknown>();
    const { open } = await behind(
      (req, res) => {
        seen.add(req.headers['lp-trickle-via']);
        if (/c(\?.*)?$/.test(req.url!)) metadata(res, { seq: 0 });
      },
      { edgeId: 'me' },
    );
    await open('c', 'other');
    await eventually(() => seen.size > 0);
    expect([...seen]).toEqual(['other, me']);
  });
});

describe('an upstream that tells no metadata, as the Go server', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });
  afterEach(() => stage.close());

  /** The next write, and who waits for which segment. */
  async function go(options: { nextWrite: number; at?: (seq: number, res: ServerResponse) => boolean }) {
    const state = { nextWrite: options.nextWrite, waiting: new Map<number, ServerResponse>() };
    const { url } = await stage.server((req, res) => {
      const [path] = req.url!.split('?');
      const last = path.slice(path.lastIndexOf('/') + 1);
      const seq = Number(last);
      if (last === 'c') res.writeHead(405, { Allow: 'DELETE, POST' }).end('Method Not Allowed');
      else if (last === 'next') res.writeHead(200).end(String(state.nextWrite));
      else if (options.at?.(seq, res) !== true) state.waiting.set(seq, res);
    });
    const edge = await stage.edge({ upstreams: `*=${url}`, firstSegmentMs: 2000 });
    return {
      edge,
      state,
      serve: async (seq: number, text: string) => {
        await eventually(() => state.waiting.has(seq));
        state.nextWrite = seq + 1;
        state.waiting.get(seq)!.writeHead(200, { 'Lp-Trickle-Seq': seq, 'Content-Type': 'video/MP2T' }).end(text);
      },
    };
  }

  it('gives the MIME type with its first segment, which no reader misses', async () => {
    const { edge, serve } = await go({ nextWrite: 0 });
    const readers = [stage.subscriber(edge, 'next'), stage.subscriber(edge, 'next'), stage.subscriber(edge, 'current')];
    const all = Promise.all(readers.map(read));
    await serve(0, 'zero');
    expect(await all).toEqual([
      [0, 'zero'],
      [0, 'zero'],
      [0, 'zero'],
    ]);
    expect(edge.relay.hub.get('c')?.mimeType).toBe('video/MP2T');
    const next = read(readers[0]);
    await serve(1, 'one');
    expect(await next).toEqual([1, 'one']);
  });

  it('takes its next write back and loses nothing by that', async () => {
    let backwards = 2;
    const { edge, serve } = await go({
      nextWrite: 7,
      at: (seq, res) => {
        if (seq !== 8 || backwards === 0) return false;
        backwards -= 1;
        res.writeHead(470, { 'Lp-Trickle-Latest': '6', 'Lp-Trickle-Seq': '8' }).end();
        return true;
      },
    });
    const subscriber = stage.subscriber(edge, 'next');
    const first = read(subscriber);
    await serve(7, 'seven');
    expect(await first).toEqual([7, 'seven']);
    const second = read(subscriber);
    await serve(8, 'eight');
    expect([await second, backwards]).toEqual([[8, 'eight'], 0]);
  });

  it('ends the mirror by Lp-Trickle-Closed', async () => {
    const { edge, state, serve } = await go({ nextWrite: 3 });
    const subscriber = stage.subscriber(edge, 'next');
    const first = read(subscriber);
    await serve(3, 'x');
    expect(await first).toEqual([3, 'x']);
    const pending = read(subscriber);
    await eventually(() => state.waiting.has(4));
    state.waiting.get(4)!.writeHead(200, { 'Lp-Trickle-Closed': 'terminated', 'Lp-Trickle-Seq': '4', 'Lp-Trickle-Latest': '4' }).end();
    expect(await pending).toBeNull();
    await eventually(() => edge.relay.hub.size === 0);
  });

  it('gives up when there is no first segment in time', async () => {
    const { url } = await stage.server((req, res) => {
      if (req.url!.includes('/next')) res.end('0');
      else if (/c(\?.*)?$/.test(req.url!)) res.writeHead(405).end();
    });
    const edge = await stage.edge({ upstreams: `*=${url}`, firstSegmentMs: 50 });
    expect((await fetch(`${edge.url}c/0`)).status).toBe(504);
    expect(edge.relay.hub.size).toBe(0);
  });
});

function metadata(res: ServerResponse, fields: Record<string, unknown>): void {
  res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ mimeType: 'x/y', oldest: 0, status: 'open', ...fields }));
}
