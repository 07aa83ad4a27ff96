import { describe, expect, it } from '@jest/globals';
import { fastify } from 'fastify';
import { AllowedMethods } from './allowed-methods.ts';

describe('AllowedMethods', () => {
  it('knows the methods of a path by its pattern, and nothing of paths that are not there', () => {
    const server = fastify();
    const allowed = new AllowedMethods();
    allowed.watch(server);
    const handler = () => '';
    server.get('/v1/sessions/:id', handler);
    server.delete('/v1/sessions/:id', handler);
    server.patch('/v1/sessions/:id/params', handler);
    server.get('/v1/openapi.json', handler);
    expect(allowed.of('/v1/sessions/ses_1')).toEqual(['DELETE', 'GET', 'HEAD']);
    expect(allowed.of('/v1/sessions/ses_1/params')).toEqual(['PATCH']);
    expect([allowed.of('/v1/sessions/a/b/c'), allowed.of('/v1/openapiXjson'), allowed.of('/')]).toEqual([[], [], []]);
  });
});
