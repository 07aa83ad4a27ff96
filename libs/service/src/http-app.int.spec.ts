import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RunnelError } from '@runnel/errors';
import { z } from 'zod';
import { createConnection } from 'node:net';
import { createLogger, HealthChecks, MAX_BODY_BYTES, startHttpApp, ZodPipe, type HttpApp } from './index.ts';

const Thing = z.strictObject({ name: z.string().min(1), size: z.int().min(0) });
let release = Promise.withResolvers<void>();
let entered = Promise.withResolvers<void>();

@Controller('things')
class Things {
  @Post()
  make(@Body(new ZodPipe(Thing)) thing: z.infer<typeof Thing>) {
    return thing;
  }

  @Post('any')
  any(@Body(new ZodPipe(z.json())) value: z.infer<ReturnType<typeof z.json>>) {
    return { value };
  }

  @Post('lists')
  list(@Body(new ZodPipe(z.array(z.string()))) names: string[]) {
    return names;
  }

  @Get('full')
  full() {
    throw new RunnelError('no_capacity', { message: 'All 2 slots are taken.', details: { retryAfterSeconds: 3 } });
  }

  @Get('bug')
  bug() {
    throw new Error('connect to postgres://user:hunter2@db failed');
  }

  @Get('slow')
  async slow() {
    entered.resolve();
    await release.promise;
    return { slow: true };
  }
}

@Module({ controllers: [Things] })
class Root {}

const lines: string[] = [];
const health = new HealthChecks();
let app: HttpApp;

beforeEach(async () => {
  lines.length = 0;
  release = Promise.withResolvers();
  entered = Promise.withResolvers();
  const logger = createLogger({ name: 'test', level: 'info', destination: { write: (line) => lines.push(line) } });
  app = await startHttpApp({ name: 'test', module: Root, host: '127.0.0.1', port: 0, logger, health, drainDeadlineMs: 2000 });
});
afterEach(async () => {
  release.resolve();
  await app.close();
});

const post = (body: string, type = 'application/json', path = 'things') =>
  fetch(`${app.url}/${path}`, { method: 'POST', body, headers: { 'content-type': type } });

/** Sends bytes on a raw connection and returns all that comes back. */
function raw(text: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let answer = '';
  const socket = createConnection(Number(new URL(app.url).port), '127.0.0.1', () => socket.write(text));
  socket.on('data', (data) => (answer += data.toString()));
  socket.on('close', () => resolve(answer));
  socket.on('error', reject);
  return promise;
}

describe('Every error is problem+json of the catalogue, without a stack trace', () => {
  it.each([
    ['an unknown path', () => fetch(`${app.url}/nowhere`), 404, 'not_found'],
    ['an unknown method of a known path', () => fetch(`${app.url}/things?x=1`, { method: 'PUT' }), 405, 'method_not_allowed'],
    ['broken JSON', () => post('{"name":'), 400, 'invalid_request'],
    ['an empty body', () => post(''), 400, 'invalid_request'],
    ['a poisoned prototype', () => post('{"__proto__":{"admin":true}}'), 400, 'invalid_request'],
    ['a form of another site', () => post('name=x', 'application/x-www-form-urlencoded'), 415, 'unsupported_media_type'],
    ['plain text', () => post('hello', 'text/plain'), 415, 'unsupported_media_type'],
    ['a body above the limit', () => post(`"${'x'.repeat(MAX_BODY_BYTES)}"`), 413, 'payload_too_large'],
    [
      'a value nested beyond reason',
      () => post(`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'application/json', 'things/any'),
      400,
      'invalid_request',
    ],
    ['a broken escape in the path', () => fetch(`${app.url}/%zz`), 400, 'invalid_request'],
    ['a RunnelError of a handler', () => fetch(`${app.url}/things/full`), 503, 'no_capacity'],
    ['a bug in a handler', () => fetch(`${app.url}/things/bug`), 500, 'internal'],
  ])('%s', async (_, call, status, code) => {
    const response = await call();
    const body = await response.text();
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect([response.status, (JSON.parse(body) as { code: string }).code]).toEqual([status, code]);
    expect(JSON.parse(body)).toMatchObject({
      type: `urn:runnel:error:${code}`,
      status,
      title: expect.any(String),
      hint: expect.any(String),
    });
    expect(body).not.toMatch(/ at |node_modules|\.ts/);
  });

  it('is short, however much of a body is wrong', async () => {
    const keys = Array.from({ length: 50_000 }, (_, at) => `"k${at}":1`);
    expect((await (await post(`{${keys.join(',')}}`)).text()).length).toBeLessThan(2000);
    const response = await fetch(`${app.url}/things/lists`, {
      method: 'POST',
      body: `[${keys.map(() => 1).join(',')}]`,
      headers: { 'content-type': 'application/json' },
    });
    const problem = (await response.json()) as { errors: object[] };
    expect(problem.errors).toHaveLength(32);
  });

  it('answers a request with an expectation that it does not know as any other', async () => {
    await expect(raw('GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: cake\r\n\r\n')).resolves.toMatch(/^HTTP\/1.1 200 /);
  });

  it('names every wrong field of a body', async () => {
    const response = await post('{"name":"","size":-1,"more":1}');
    expect(response.status).toBe(400);
    const problem = (await response.json()) as { code: string; errors: { path: string }[] };
    expect(problem.code).toBe('invalid_request');
    expect(problem.errors.map(({ path }) => path).sort()).toEqual(['', 'name', 'size']);
  });

  it('tells when to try again', async () => {
    expect((await fetch(`${app.url}/things/full`)).headers.get('retry-after')).toBe('3');
  });

  it('tells nothing of what went wrong inside, but logs it', async () => {
    const body = await (await fetch(`${app.url}/things/bug`)).text();
    expect(body).not.toContain('postgres');
    expect(lines.join('')).toContain('request failed inside');
  });

  it('answers bytes that are not HTTP, and headers that are too large', async () => {
    await expect(raw('hello\r\n\r\n')).resolves.toMatch(/^HTTP\/1.1 400 [^]*"code":"invalid_request"/);
    await expect(raw(`GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`)).resolves.toMatch(
      /^HTTP\/1.1 431 [^]*"code":"headers_too_large"/,
    );
  });
});

describe('Probes', () => {
  it('say alive always, and ready only while every check is fine, with the reason', async () => {
    health.add('bus', () => 'not connected');
    const [alive, ready] = [await fetch(`${app.url}/livez`), await fetch(`${app.url}/readyz`)];
    expect([alive.status, ready.status]).toEqual([200, 503]);
    await expect(ready.json()).resolves.toMatchObject({ status: 'not_ready', checks: { bus: { ok: false, reason: 'not connected' } } });
    health.add('bus', () => null);
    expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
  });

  it('hold back readiness when a check throws', async () => {
    health.add('bus', () => {
      throw new Error('no route');
    });
    await expect((await fetch(`${app.url}/readyz`)).json()).resolves.toMatchObject({ checks: { bus: { ok: false, reason: 'no route' } } });
    health.add('bus', () => null);
  });

  it('show process, event-loop and request metrics by route template', async () => {
    await post('{"name":"a","size":1}');
    const text = await (await fetch(`${app.url}/metrics`)).text();
    expect(text).toMatch(/nodejs_eventloop_lag_p99_seconds\{app="test"\}/);
    expect(text).toMatch(/http_request_duration_seconds_count\{[^}]*method="POST"[^}]*route="\/things"[^}]*status="201"[^}]*\} 1/);
  });
});

describe('Requests in the log', () => {
  it('show method, route and status; never query, headers or body', async () => {
    await fetch(`${app.url}/things/full?token=hunter2`, { headers: { authorization: 'Bearer hunter3' } });
    expect(lines.join('')).toContain('"route":"/things/full","status":"503"');
    expect(lines.join('')).not.toMatch(/hunter/);
  });
});

describe('Closing', () => {
  it('lets an open request end, refuses new ones, and frees the port', async () => {
    const slow = fetch(`${app.url}/things/slow`);
    await entered.promise;
    const closing = app.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const refused = await fetch(`${app.url}/things/full`);
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([503, 'shutting_down']);
    release.resolve();
    await expect((await slow).json()).resolves.toEqual({ slow: true });
    await closing;
    await app.close();
    await expect(fetch(`${app.url}/livez`)).rejects.toThrow();
  });

  it('cuts a request that does not end by the deadline', async () => {
    const slow = fetch(`${app.url}/things/slow`).catch(() => 'cut');
    await entered.promise;
    await app.close();
    await expect(slow).resolves.toBe('cut');
  });
});

it('A taken port is one clear error', async () => {
  const logger = createLogger({ name: 'second', level: 'silent' });
  const port = Number(new URL(app.url).port);
  await expect(startHttpApp({ name: 'second', module: Root, host: '127.0.0.1', port, logger })).rejects.toMatchObject({
    code: 'port_in_use',
  });
});
