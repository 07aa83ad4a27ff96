import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@runnel/service';
import { DEFAULT_LIMITS } from '@runnel/trickle-core';
import { TrickleEdgeConfigSchema } from './config.ts';

/** The wrong settings that an environment is told. */
function wrong(env: Record<string, string>): string[] {
  try {
    loadConfig(TrickleEdgeConfigSchema, env);
    return [];
  } catch (error) {
    return (error as { fields: { path: string }[] }).fields.map(({ path }) => path);
  }
}

describe('the settings of the edge', () => {
  it('have defaults that are those of the relay', () => {
    expect(loadConfig(TrickleEdgeConfigSchema, {})).toMatchObject({
      EDGE_HOST: '127.0.0.1',
      EDGE_CREATE: 'off',
      EDGE_WINDOW_MIB: DEFAULT_LIMITS.windowBytes,
      EDGE_SEGMENT_MIB: DEFAULT_LIMITS.segmentBytes,
      EDGE_MEMORY_MIB: DEFAULT_LIMITS.hubBytes,
      EDGE_MAX_CHANNELS: DEFAULT_LIMITS.maxChannels,
      EDGE_IDLE_MS: DEFAULT_LIMITS.idleMs,
    });
  });

  it('are all told at once when they are wrong', () => {
    expect(
      wrong({ EDGE_PORT: '99999', EDGE_CREATE: 'maybe', EDGE_BASE_PATH: 'trickle', EDGE_MAX_CHANNELS: '1.5', EDGE_IDLE_MS: 'x' }),
    ).toEqual(expect.arrayContaining(['EDGE_PORT', 'EDGE_CREATE', 'EDGE_BASE_PATH', 'EDGE_MAX_CHANNELS', 'EDGE_IDLE_MS']));
  });

  it.each([
    [{ EDGE_SEGMENT_MIB: '65' }, ['EDGE_SEGMENT_MIB']],
    [{ EDGE_WINDOW_MIB: '100', EDGE_MEMORY_MIB: '99' }, ['EDGE_WINDOW_MIB']],
    [{ EDGE_SEGMENT_MIB: '8', EDGE_WINDOW_MIB: '8', EDGE_MEMORY_MIB: '8' }, []],
  ])('fit each other: %j', (env: Record<string, string>, expected) => {
    expect(wrong(env)).toEqual(expected);
  });

  it('count MiB in the environment and bytes in the program', () => {
    expect(loadConfig(TrickleEdgeConfigSchema, { EDGE_SEGMENT_MIB: '0.5' }).EDGE_SEGMENT_MIB).toBe(512 * 1024);
  });
});
