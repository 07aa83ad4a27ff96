import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeCertificate } from './testing/certificate.ts';
import { startCli, type RunningCli } from './testing/cli.ts';
import { commandsOf, createShell, MAIN } from './testing/document.ts';

const folder = mkdtempSync(join(tmpdir(), 'runnel-edge-docs-'));
const shell = createShell(folder);
/** A command of the page that runs until it is stopped: its variables, and its arguments. */
const EDGE = /^((?:EDGE_\w+=\S+ )*)npm run runnel -- (edge.*)$/;

let running: RunningCli | null = null;
let urls: { url: string; opsUrl: string };

async function stopEdge(): Promise<void> {
  running?.signal('SIGINT');
  running?.signal('SIGINT');
  await running?.finished;
  running = null;
}

/** Starts an edge as a line says, on free ports. */
async function startEdge(variables: string, args: string): Promise<void> {
  await stopEdge();
  const env = Object.fromEntries(
    variables
      .trim()
      .split(' ')
      .filter(Boolean)
      .map((text) => text.split('=')),
  );
  const command = `${args} --json --port 0 --ops-port 0`.split(' ');
  running = startCli(command, { cwd: folder, env: { EDGE_WARM_UP_MS: '0', ...env }, deadlineMs: 120_000 });
  const [line] = await running.until(/\{"url":.*\}/);
  urls = JSON.parse(line) as { url: string; opsUrl: string };
}

beforeAll(() => writeCertificate({ certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }));
afterAll(async () => {
  await stopEdge();
  rmSync(folder, { recursive: true, force: true });
});

describe('docs/3-running-an-edge.md', () => {
  it('has commands that work as they are written, one after the other', async () => {
    const commands = commandsOf('docs/3-running-an-edge.md');
    const outputs: string[] = [];
    let minted = '';
    for (const line of commands) {
      const edge = EDGE.exec(line);
      if (edge !== null) {
        await startEdge(edge[1], edge[2]);
        const isSecure = edge[1].includes('EDGE_TLS');
        expect(new URL(urls.url).protocol).toBe(isSecure ? 'https:' : 'http:');
        // What follows is written for a reader who tries the first edge.
        if (isSecure) await startEdge('', 'edge');
        continue;
      }
      const local = line
        .replaceAll(/npm run (?:--silent )?runnel --/g, `node ${MAIN}`)
        .replaceAll('http://localhost:8945', new URL(urls.url).origin)
        .replaceAll('localhost:8945', new URL(urls.url).origin)
        .replaceAll('localhost:8946', urls.opsUrl)
        .replace(/\bURL\b/, minted);
      const ran = await shell(local);
      expect({ line, ...ran }).toMatchObject({ code: 0 });
      if (line.includes(' mint ')) minted = ran.output.trim();
      outputs.push(ran.output);
    }
    const all = outputs.join('\n');
    for (const part of [
      'a segment',
      'first byte',
      'http://127.0.0.1',
      'status                   valid',
      '"alive"',
      '"ready"',
      'trickle_channels',
    ]) {
      expect(all).toContain(part);
    }
  }, 120_000);
});
