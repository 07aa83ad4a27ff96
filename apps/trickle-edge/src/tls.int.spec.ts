import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Bus, createMemoryBus } from '@runnel/bus';
import { createLogger, loadConfig } from '@runnel/service';
import { createPublisher, createSubscriber } from '@runnel/trickle-http';
import { startTrickleEdge, type TrickleEdge, TrickleEdgeConfigSchema } from './index.ts';
import { writeCertificate } from './testing/certificate.ts';

let folder: string;
let certFile: string;
let keyFile: string;
let ca: string;
let bus: Bus;
let edge: TrickleEdge | null = null;
const lines: string[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'runnel-edge-tls-'));
  certFile = join(folder, 'cert.pem');
  keyFile = join(folder, 'key.pem');
  ca = await writeCertificate({ certFile, keyFile });
  bus = createMemoryBus();
  lines.length = 0;
});
afterEach(async () => {
  await edge?.close();
  edge = null;
  await bus.close();
  rmSync(folder, { recursive: true });
});

async function start(env: Record<string, string> = {}): Promise<TrickleEdge> {
  const given = {
    EDGE_PORT: '0',
    EDGE_OPS_PORT: '0',
    EDGE_CREATE: 'explicit',
    EDGE_TLS_CERT_FILE: certFile,
    EDGE_TLS_KEY_FILE: keyFile,
    ...env,
  };
  const logger = createLogger({ name: 'edge', level: 'info', destination: { write: (line) => lines.push(line) } });
  edge = await startTrickleEdge({ bus, logger, config: loadConfig(TrickleEdgeConfigSchema, given) });
  return edge;
}

/** One request on HTTP/1.1 over TLS, and the fingerprint of the certificate. */
async function get(url: string, path: string): Promise<{ answer: string; fingerprint: string }> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), ca, ALPNProtocols: ['http/1.1'] });
  await once(socket, 'secureConnect');
  const fingerprint = socket.getPeerCertificate().fingerprint256;
  let answer = '';
  socket.on('data', (bytes: Buffer) => (answer += bytes.toString()));
  socket.write(`GET ${path} HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n`);
  await once(socket, 'close');
  return { answer, fingerprint };
}

describe('an edge with a certificate', () => {
  it('relays over TLS, answers probes there, and counts handshakes', async () => {
    const { url, opsUrl } = await start();
    expect(url).toMatch(/^https:/);
    const http2 = connectHttp2(url, { ca });
    const created = http2.request({ ':method': 'POST', ':path': '/trickle/cam', 'expect-content': 'text/plain' }).end();
    expect((await once(created, 'response'))[0]).toMatchObject({ ':status': 200 });
    const publisher = createPublisher({ url: `${url}/cam`, mimeType: 'text/plain', ca });
    const subscriber = createSubscriber({ url: `${url}/cam`, start: 0, ca });
    const writer = await publisher.open();
    await writer.write(Buffer.from('secure'));
    await writer.end();
    const segment = await subscriber.next();
    let text = '';
    if (segment?.kind === 'segment') for await (const bytes of segment.bytes) text += Buffer.from(bytes).toString();
    expect(text).toBe('secure');
    expect((await get(url, '/readyz')).answer).toMatch(/^HTTP\/1\.1 200 [^]*"status":"ready"/);
    const metrics = await (await fetch(`${opsUrl}/metrics`)).text();
    expect(metrics).toMatch(/^trickle_tls_handshakes_total\{result="full",.*\} [1-9]/m);
    expect(metrics).toMatch(/^trickle_http2_connections_total\{.*\} [1-9]/m);
    const [, expiry] = /^trickle_tls_certificate_expiry_seconds\{.*\} ([\d.e+]+)$/m.exec(metrics)!;
    expect(Number(expiry) * 1000 - Date.now()).toBeGreaterThan(8 * 86_400_000);
    http2.close();
    await Promise.all([publisher.close(), subscriber.close()]);
  }, 20_000);

  it('exchanges it when it is told to, and keeps it when the new one is none', async () => {
    const running = await start();
    const before = await get(running.url, '/livez');
    ca = await writeCertificate({ certFile, keyFile });
    await running.reload();
    const after = await get(running.url, '/livez');
    expect(after.fingerprint).not.toBe(before.fingerprint);
    writeFileSync(certFile, 'nonsense');
    await running.reload();
    expect((await get(running.url, '/livez')).fingerprint).toBe(after.fingerprint);
    expect(lines.join('')).toMatch(/certificate exchanged[^]*the new certificate cannot be used/);
  }, 20_000);

  it('does not start with one that cannot be used, or with half of one', async () => {
    writeFileSync(keyFile, 'nonsense');
    await expect(start()).rejects.toMatchObject({ code: 'invalid_config' });
    await expect(start({ EDGE_TLS_KEY_FILE: '' })).rejects.toMatchObject({ code: 'invalid_config' });
  });
});
