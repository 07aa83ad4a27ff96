import { describe, expect, it } from '@jest/globals';
import type { RunnelError } from '@runnel/errors';
import { z } from 'zod';
import { loadConfig, redactConfig } from './index.ts';

const Schema = z.object({
  APP_PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  APP_HOST: z.string().default('127.0.0.1'),
  APP_LEVEL: z.enum(['info', 'debug']).default('info'),
  APP_KEY: z.string().regex(/^k_/).meta({ secret: true }).optional(),
});

function failure(env: Record<string, string>): RunnelError {
  try {
    loadConfig(Schema, env);
  } catch (error) {
    return error as RunnelError;
  }
  throw new Error('was accepted');
}

describe('loadConfig', () => {
  it('takes defaults for what is unset or empty, and ignores other variables', () => {
    expect(loadConfig(Schema, { APP_HOST: '', HOME: '/root', APP_PORT: '0' })).toEqual({
      APP_PORT: 0,
      APP_HOST: '127.0.0.1',
      APP_LEVEL: 'info',
    });
  });

  it('names every wrong setting at once, with its value', () => {
    const error = failure({ APP_PORT: 'many', APP_LEVEL: 'loud' });
    expect(error).toMatchObject({ code: 'invalid_config', exitCode: 2 });
    expect(error.fields.map(({ path }) => path)).toEqual(['APP_PORT', 'APP_LEVEL']);
    expect(error.message).toContain("'many'");
    expect(error.message).toContain("'loud'");
  });

  it('never shows the value of a secret', () => {
    const error = failure({ APP_KEY: 'hunter2' });
    expect(error.fields).toHaveLength(1);
    expect(JSON.stringify([error.message, error.fields, error.details])).not.toContain('hunter2');
    expect(JSON.stringify(redactConfig(Schema, loadConfig(Schema, { APP_KEY: 'k_hunter2' })))).not.toContain('hunter2');
  });
});
