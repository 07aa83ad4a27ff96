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

interface RunningEdge {
  cli: RunningCli;
  url: URL;
  opsUrl: string;
}

/** The edge that the page's commands are for, and one that has it as its upstream. */
let first: RunningEdge | null = null;
let second: RunningEdge | null = null;

async function stop(edge: RunningEdge | null): Promise<void> {
  edge?.cli.signal('SIGINT');
  edge?.cli.signal('SIGINT');
  await edge?.cli.finished;
}

/** Starts an edge as a line says, on free ports. */
async function start(variables: string, args: string): Promise<RunningEdge> {
  const settings = [...variables.matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, local(value.replaceAll("'", ''))]);
  const env = { EDGE_WARM_UP_MS: '0', ...(Object.fromEntries(settings) as Record<string, string>) };
  const cli = startCli(`${args} --json --port 0 --ops-port 0`.split(' '), { cwd: folder, env, deadlineMs: 120_000 });
  const [line] = await cli.until(/\{"url":.*\}/);
  const { url, opsUrl } = JSON.parse(line) as { url: string; opsUrl: string };
  return { cli, url: new URL(url), opsUrl };
}

/** A line with the addresses that the edges have here. */
function local(line: string): string {
  return line
    .replaceAll(/npm run (?:--silent )?runnel --/g, `node ${MAIN}`)
    .replaceAll(/(?:http:\/\/)?localhost:8945/g, first?.url.origin ?? '')
    .replaceAll('localhost:8955', second?.url.origin ?? '')
    .replaceAll('localhost:8946', first?.opsUrl ?? '');
}

async function run(line: string): Promise<string> {
  const ran = await shell(local(line));
  expect({ line, ...ran }).toMatchObject({ code: 0 });
  return ran.output;
}

beforeAll(() => writeCertificate({ certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }));
afterAll(async () => {
  await stop(first);
  await stop(second);
  rmSync(folder, { recursive: true, force: true });
});

describe('docs/3-running-an-edge.md', () => {
  it('has commands that work as they are written, one after the other', async () => {
    const commands = commandsOf('docs/3-running-an-edge.md');
    const hello = commands.filter((line) => line.startsWith('curl') && line.includes('localhost:8945/trickle/hello'));
    const outputs: string[] = [];
    let minted = '';
    for (const line of commands) {
      const [, variables, args] = EDGE.exec(line) ?? [];
      if (args === undefined) {
        outputs.push(await run(line.replace(/\bURL\b/, minted)));
        if (line.includes(' mint ')) minted = outputs.at(-1)!.trim();
      } else if (variables.includes('EDGE_UPSTREAMS')) {
        second = await start(variables, args);
      } else {
        await stop(first);
        first = await start(variables, args);
        const isSecure = variables.includes('EDGE_TLS');
        expect(first.url.protocol).toBe(isSecure ? 'https:' : 'http:');
        if (!isSecure && !variables.includes('EDGE_SHARDS')) continue;
        // What follows is written for a reader who still has the first edge.
        await stop(first);
        first = await start('', 'edge');
        for (const again of hello) await run(again);
      }
    }
    expect(outputs.filter((output) => output === 'a segment')).toHaveLength(2);
    for (const part of ['first byte', 'status                   valid', '"alive"', '"ready"', 'trickle_channels']) {
      expect(outputs.join('\n')).toContain(part);
    }
  }, 120_000);
});
