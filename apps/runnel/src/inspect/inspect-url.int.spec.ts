import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { inspectUrl } from './inspect-url.ts';

type Answers = Record<string, [status: number, body: string, headers?: Record<string, string>]>;

const METADATA = '{"channel":"cam","seq":7,"status":"open"}';
const TIMELINE = '{"channel":"cam","now":"2026-01-01T00:00:00.000Z","nextWrite":7,"oldest":2,"segments":[],"events":[]}';
const never = new AbortController().signal;
let server: Server | null = null;

/** A server that knows a few paths; 404 elsewhere. */
async function serve(answers: Answers): Promise<string> {
  server = createServer((request, response) => {
    const [status, body, headers] = answers[request.url ?? ''] ?? [404, 'Stream not found'];
    response.writeHead(status, headers).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = null;
});

describe('inspecting a URL', () => {
  it('gives metadata and timeline of a channel', async () => {
    const url = await serve({ '/t/cam': [200, METADATA], '/t/cam/timeline': [200, TIMELINE] });
    expect(await inspectUrl(`${url}/t/cam`, never)).toMatchObject({ facts: { seq: 7 }, timeline: { nextWrite: 7 }, notes: [] });
  });

  it.each([
    [400, 'Bad sequence number', /tells no timeline \(400\)/],
    [200, '<html>', /tells no timeline/],
    [403, '', /right to manage/],
    [401, '', /right to manage/],
  ])('gives the metadata alone when the timeline is answered with %i', async (status, body, note) => {
    const url = await serve({ '/t/cam': [200, METADATA], '/t/cam/timeline': [status, body] });
    const found = await inspectUrl(`${url}/t/cam`, never);
    expect([found.facts['seq'], found.timeline, found.notes]).toEqual([7, null, [expect.stringMatching(note)]]);
  });

  it.each([405, 404, 400])('gives what a server tells that has no metadata (%i): the next segment', async (status) => {
    const url = await serve({ '/t/cam%201': [status, ''], '/t/cam%201/next': [200, '12', { 'Lp-Trickle-Latest': '12' }] });
    const found = await inspectUrl(`${url}/t/cam%201`, never);
    expect(found).toEqual({ facts: { channel: 'cam 1', seq: 12 }, timeline: null, notes: [expect.stringMatching(/no metadata/)] });
  });

  it('gives a session as it is', async () => {
    const url = await serve({ '/v1/sessions/ses_a': [200, '{"id":"ses_a","state":"running"}'] });
    expect(await inspectUrl(`${url}/v1/sessions/ses_a`, never)).toEqual({
      facts: { id: 'ses_a', state: 'running' },
      timeline: null,
      notes: [],
    });
  });

  it.each([
    [{}, 'channel_not_found'],
    [{ '/x': [500, 'oops'] }, 'edge_unreachable'],
    [{ '/x': [401, ''] }, 'access_denied'],
    [{ '/x': [403, ''] }, 'access_denied'],
    [{ '/x': [200, 'hello'] }, 'invalid_usage'],
    [{ '/x': [200, '17'] }, 'invalid_usage'],
    [{ '/x': [200, `{"a":"${'a'.repeat(5_000_000)}"}`] }, 'invalid_usage'],
  ] as [Answers, string][])('says what is wrong (%#)', async (answers, code) => {
    const url = await serve(answers);
    await expect(inspectUrl(`${url}/x`, never)).rejects.toMatchObject({ code });
  });

  it('says that nobody answers, and ends when it is interrupted', async () => {
    const url = await serve({});
    server?.closeAllConnections();
    server?.close();
    await expect(inspectUrl(`${url}/x`, never)).rejects.toMatchObject({ code: 'edge_unreachable' });
    await expect(inspectUrl(`${url}/x`, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
  });
});
