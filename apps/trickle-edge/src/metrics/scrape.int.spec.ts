import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Bus, createMemoryBus } from '@runnel/bus';
import { createLogger, loadConfig } from '@runnel/service';
import { EDGE_METRICS, startTrickleEdge, type TrickleEdge, TrickleEdgeConfigSchema } from '../index.ts';

let bus: Bus;
let edge: TrickleEdge;

beforeEach(async () => {
  bus = createMemoryBus();
  const config = loadConfig(TrickleEdgeConfigSchema, {
    EDGE_PORT: '0',
    EDGE_OPS_PORT: '0',
    EDGE_CREATE: 'explicit',
    EDGE_SEGMENT_MIB: '0.01',
  });
  edge = await startTrickleEdge({ bus, logger: createLogger({ name: 'edge', level: 'silent' }), config });
});
afterEach(async () => {
  await edge.close();
  await bus.close();
});

async function scrape(): Promise<string> {
  return (await fetch(`${edge.opsUrl}/metrics`)).text();
}

/** Value of a series; labels other than `app` as they stand in the scrape. */
async function value(series: string): Promise<number> {
  const [name, labels = ''] = series.split(/[{}]/);
  const line = new RegExp(`^${name}\\{${labels === '' ? '' : `${labels},`}app="trickle-edge"\\} (\\S+)$`, 'm').exec(await scrape());
  return Number(line?.[1] ?? Number.NaN);
}

describe('GET /metrics', () => {
  it('has the metrics of the reference, with their types and words, and no others of the edge', async () => {
    const text = await scrape();
    const helps = [...text.matchAll(/^# HELP (trickle_\S+) (.*)$/gm)].map(([, name, help]) => [name, help]);
    const types = [...text.matchAll(/^# TYPE (trickle_\S+) (.*)$/gm)].map(([, name, type]) => [name, type]);
    const by = (a: string[], b: string[]) => (a[0] < b[0] ? -1 : 1);
    expect(helps.sort(by)).toEqual(EDGE_METRICS.map(({ name, help }) => [name, help]).sort(by));
    expect(types.sort(by)).toEqual(EDGE_METRICS.map(({ name, type }) => [name, type as string]).sort(by));
  });

  it('has each series that the reference names, from the start on', async () => {
    const text = await scrape();
    for (const { name, type, labels = {} } of EDGE_METRICS) {
      const suffix = type === 'histogram' ? '_count' : '';
      expect(text).toMatch(new RegExp(`^${name}${suffix}\\{`, 'm'));
      for (const [label, values] of Object.entries(labels)) {
        const found = [...text.matchAll(new RegExp(`^${name}\\{.*${label}="([^"]*)".*\\}`, 'gm'))].map(([, found]) => found);
        expect([name, found.sort()]).toEqual([name, [...values].sort()]);
      }
    }
  });

  it('counts what comes and what is refused, and observes first bytes', async () => {
    await fetch(`${edge.url}/cam`, { method: 'POST' });
    expect((await fetch(`${edge.url}/cam/0`, { method: 'POST', body: 'x'.repeat(100) })).status).toBe(200);
    await (await fetch(`${edge.url}/cam/0`)).text();
    expect((await fetch(`${edge.url}/none/0`)).status).toBe(404);
    expect((await fetch(`${edge.url}/cam/1`, { method: 'POST', body: 'x'.repeat(20_000) })).status).toBe(413);
    expect(await value('trickle_channels')).toBe(1);
    expect(await value('trickle_sent_bytes_total')).toBe(100);
    expect(await value('trickle_first_byte_seconds_count')).toBe(1);
    expect(await value('trickle_refused_total{reason="not_found"}')).toBe(1);
    expect(await value('trickle_refused_total{reason="segment_too_large"}')).toBe(1);
    expect(await value('trickle_requests_total')).toBe(5);
    expect(await value('trickle_connections_total')).toBeGreaterThan(0);
    expect(await value('trickle_draining')).toBe(0);
    const drained = edge.drain({ deadlineMs: 20_000 });
    expect(await value('trickle_draining')).toBe(1);
    await fetch(`${edge.url}/cam`, { method: 'DELETE' });
    expect(await drained).toBe(0);
  }, 30_000);
});
