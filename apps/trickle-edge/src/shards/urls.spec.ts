import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@runnel/service';
import { TrickleEdgeConfigSchema } from '../config.ts';
import { LISTENING_URL, shardUrls } from './urls.ts';

const urls = (env: Record<string, string>) => shardUrls(loadConfig(TrickleEdgeConfigSchema, { EDGE_SHARDS: '2', ...env }));
const PLAIN = [null, null];
const TLS = { EDGE_TLS_CERT_FILE: 'c', EDGE_TLS_KEY_FILE: 'k' };

describe('the URLs of shards', () => {
  it('are their listening addresses where there is no public URL', () => {
    expect(urls({})).toEqual([LISTENING_URL, LISTENING_URL]);
    expect(urls({ EDGE_SHARD_PORT: '9000' })).toEqual([LISTENING_URL, LISTENING_URL]);
  });

  it('stand beside a public URL that names the port of this edge, by their ports', () => {
    const fixed = { EDGE_PORT: '8945', EDGE_SHARD_PORT: '9000' };
    expect(urls({ ...fixed, EDGE_PUBLIC_URL: 'http://edge.example:8945/t' })).toEqual([
      'http://edge.example:9000/t/',
      'http://edge.example:9001/t/',
    ]);
    expect(urls({ EDGE_PORT: '443', EDGE_SHARD_PORT: '444', EDGE_PUBLIC_URL: 'https://edge.example/t/', ...TLS })).toEqual([
      'https://edge.example:444/t/',
      'https://edge.example:445/t/',
    ]);
  });

  it('are none where a proxy stands in front, as it does when the public URL has another port or scheme, or the shards any port', () => {
    expect(urls({ EDGE_PORT: '8945', EDGE_SHARD_PORT: '9000', EDGE_PUBLIC_URL: 'http://edge.example/t' })).toEqual(PLAIN);
    expect(urls({ EDGE_PORT: '443', EDGE_SHARD_PORT: '9000', EDGE_PUBLIC_URL: 'https://edge.example/t' })).toEqual(PLAIN);
    expect(urls({ EDGE_PORT: '8945', EDGE_PUBLIC_URL: 'http://edge.example:8945/t' })).toEqual(PLAIN);
  });

  it('are what is given, or none on demand', () => {
    expect(urls({ EDGE_SHARD_URLS: 'https://a.example/t, https://b.example/t/' })).toEqual([
      'https://a.example/t/',
      'https://b.example/t/',
    ]);
    expect(urls({ EDGE_SHARD_URLS: 'plain' })).toEqual(PLAIN);
  });

  it('are refused when they are not one for each shard', () => {
    for (const wrong of ['https://a.example/', 'a,b', 'https://a/,https://b/,https://c/', 'https://a/,ftp://b/']) {
      expect(() => urls({ EDGE_SHARD_URLS: wrong })).toThrow(expect.objectContaining({ code: 'invalid_config' }));
    }
  });
});

describe('the settings of shards', () => {
  const load = (env: Record<string, string>) => loadConfig(TrickleEdgeConfigSchema, env);

  it('leave each shard the memory of a channel, and none a channel that tells of all', () => {
    const wrong: Record<string, string>[] = [
      { EDGE_SHARDS: '2', EDGE_MEMORY_MIB: '100', EDGE_WINDOW_MIB: '51', EDGE_SEGMENT_MIB: '1' },
      { EDGE_SHARDS: '2', EDGE_CHANGES: 'on' },
      { EDGE_SHARDS: '0' },
      { EDGE_SHARDS: '65' },
      { EDGE_SHARDS: '2', EDGE_SHARD_PORT: '65535' },
    ];
    for (const env of wrong) expect(() => load(env)).toThrow(expect.objectContaining({ code: 'invalid_config' }));
    expect(load({ EDGE_SHARDS: '2', EDGE_MEMORY_MIB: '100', EDGE_WINDOW_MIB: '50', EDGE_SEGMENT_MIB: '1' }).EDGE_SHARDS).toBe(2);
    expect(load({ EDGE_CHANGES: 'on' }).EDGE_SHARDS).toBe(1);
  });
});
