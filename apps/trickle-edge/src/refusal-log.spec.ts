import { afterEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@runnel/service';
import { createRelay } from '@runnel/trickle-http';
import { logRefusals } from './refusal-log.ts';

let stop: () => void = () => undefined;
afterEach(() => stop());

async function setUp(level: string) {
  const relay = createRelay();
  await relay.close();
  const lines: string[] = [];
  const logger = createLogger({ name: 'edge', level, destination: { write: (line) => lines.push(line) } });
  return { lines, logger, counters: { ...relay.counters, malformed: 5 } };
}

describe('the log of refused requests', () => {
  it('has one line for as many as come between two looks, by reason, and none when there are none', async () => {
    const { lines, logger, counters } = await setUp('debug');
    stop = logRefusals(logger, counters, { intervalMs: 20 });
    counters.unauthorized += 1000;
    counters.notFound += 1;
    while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { level: 'debug', refused: { unauthorized: 1000, not_found: 1 } },
    ]);
    counters.requests += 1;
    counters.malformed += 1;
    stop();
    expect(lines.slice(1).map((line) => (JSON.parse(line) as { refused: object }).refused)).toEqual([{ malformed: 1 }]);
  });

  it('is silent at other levels', async () => {
    const { lines, logger, counters } = await setUp('info');
    stop = logRefusals(logger, counters);
    counters.malformed += 1;
    stop();
    expect(lines).toEqual([]);
  });
});
