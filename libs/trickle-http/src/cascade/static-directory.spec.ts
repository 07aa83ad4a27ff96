import { describe, expect, it } from '@jest/globals';
import { describeOwnerDirectory } from './directory-conformance.ts';
import { parseUpstreams, staticDirectory } from './static-directory.ts';

describeOwnerDirectory('a table', async (owners) => {
  const table = Object.entries(owners).map(([name, base]) => `${name}=${base}`);
  return { directory: staticDirectory(parseUpstreams(table.join(','))), close: async () => {} };
});

describe('the table of upstream edges', () => {
  const urlOf = async (text: string, channel: string) => (await staticDirectory(parseUpstreams(text)).find(channel))?.url() ?? null;

  it('goes by the longest prefix of a name, wherever it stands, and by * for the rest', async () => {
    const text = '*=https://b/trickle/, live-=https://a/trickle/,live-x=http://c:1/';
    expect(await Promise.all(['live-1', 'live-xy', 'other', 'live'].map((name) => urlOf(text, name)))).toEqual([
      'https://a/trickle/live-1',
      'http://c:1/live-xy',
      'https://b/trickle/other',
      'https://b/trickle/live',
    ]);
  });

  it('is empty for empty text, and adds the slash that a base URL lacks', async () => {
    expect([await urlOf('', 'x'), await urlOf(' , ', 'x'), await urlOf('*=http://a/t', 'x')]).toEqual([null, null, 'http://a/t/x']);
  });

  it('mints a token for each attempt to connect to an edge that wants one, and gives none to others', async () => {
    let minted = 0;
    const table = parseUpstreams('*=http://a/t/{token}/,x=http://b/t/{token},y=http://c/t/');
    const directory = staticDirectory(table, { authorize: (channel) => `tok-${channel}-${(minted += 1)}` });
    const owner = await directory.find('c');
    expect([owner?.url(), owner?.url()]).toEqual(['http://a/t/tok-c-1/c', 'http://a/t/tok-c-2/c']);
    expect([(await directory.find('x1'))?.url(), (await directory.find('y1'))?.url()]).toEqual(['http://b/t/tok-x1-3/x1', 'http://c/t/y1']);
  });

  it('cannot be used without keys when an edge wants tokens', () => {
    const table = parseUpstreams('x=http://b/t/{token}/');
    expect(() => staticDirectory(table)).toThrow(expect.objectContaining({ code: 'invalid_config' }));
  });

  it.each([
    'live-',
    '=http://a/',
    'a/b=http://a/',
    'x=ftp://a/',
    'x=/trickle/',
    'x=http://user:pw@a/',
    'x=http://a/?t=1',
    'x=http://a/#f',
    'x=http://a/,x=http://b/',
    '*=http://a/,*=http://b/',
  ])('refuses %j', (text) => {
    expect(() => parseUpstreams(text)).toThrow(expect.objectContaining({ code: 'invalid_config' }));
  });

  it('does not repeat a URL that it refuses: a path may be a secret', () => {
    const refused = () => parseUpstreams('x=http://a/s3cret/?t=1');
    expect(refused).toThrow(/Entry 1/);
    expect(refused).not.toThrow(/s3cret/);
  });
});
