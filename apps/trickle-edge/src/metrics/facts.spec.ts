import { describe, expect, it } from '@jest/globals';
import { EDGE_METRICS } from './registry.ts';

describe('the metrics of the edge', () => {
  it('are named as Prometheus asks: snake case, base units, counters and only counters end in _total', () => {
    for (const { name, type } of EDGE_METRICS) {
      expect(name).toMatch(/^trickle_[a-z0-9]+(_[a-z0-9]+)*$/);
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
      expect(name).not.toMatch(/_(ms|milliseconds|mib|mb|kb|percent)(_|$)/);
    }
    expect(new Set(EDGE_METRICS.map(({ name }) => name)).size).toBe(EDGE_METRICS.length);
  });

  it('have labels with few values, all known', () => {
    for (const { name, labels = {} } of EDGE_METRICS) {
      const series = Object.values(labels).reduce((product, values) => product * values.length, 1);
      expect({
        name,
        few: series <= 32,
        distinct: Object.values(labels).every((values) => new Set(values).size === values.length),
      }).toEqual({
        name,
        few: true,
        distinct: true,
      });
    }
  });
});
