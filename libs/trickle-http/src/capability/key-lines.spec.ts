import { describe, expect, it } from '@jest/globals';
import type { RunnelError } from '@runnel/errors';
import { formatSigningKey, newSigningKey, parseSigningKeys } from '../index.ts';

const [first, second, third] = [newSigningKey(), newSigningKey(), newSigningKey()].map(formatSigningKey);
const secret = first.split(':')[1];

describe('lines of keys', () => {
  it('are read in their order; comments and empty lines do not count', () => {
    const keys = parseSigningKeys(`# newest first\r\n${first}\r\n\n  ${second}  \n`);
    expect(keys.map(formatSigningKey)).toEqual([first, second]);
  });

  it.each([
    ['nothing', '', 'There is no key in it.'],
    ['only a comment', `# ${first}`, 'There is no key in it.'],
    ['no colon', 'nothing', "Line 1 is not 'id:secret'."],
    ['two colons', `${first}:x`, "Line 1 is not 'id:secret'."],
    ['a short secret', `k:${secret.slice(0, 40)}`, "Line 1 cannot be used. A key's secret has 32 to 64 bytes, not 30."],
    ['a secret that lost a character', `k:${secret.slice(0, -1)}`, 'Line 1 '],
    ['padding', `${first}=`, 'Line 1 has a secret that is not base64url.'],
    ['another alphabet', `k:${'+/'.repeat(24)}`, 'Line 1 has a secret that is not base64url.'],
    ['a bad id', `a.b:${secret}`, "Line 1 cannot be used. A key's id has"],
    ['the same id twice', `${first}\n${first.split(':')[0]}:${second.split(':')[1]}`, 'Line 2 has the id of another key.'],
    ['three keys', `${first}\n\n${second}\n${third}`, 'Line 4 is one key too many: 2 can be valid at a time.'],
  ])('with %s are refused by their number, without what they hold', (_, text, message) => {
    let thrown: unknown;
    try {
      parseSigningKeys(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'invalid_config', message: expect.stringContaining(message) });
    const shown = JSON.stringify([(thrown as RunnelError).message, (thrown as RunnelError).details, String((thrown as RunnelError).cause)]);
    expect([shown.includes(secret.slice(0, 8)), shown.includes(first.split(':')[0])]).toEqual([false, false]);
  });
});
