import { describe, expect, it } from '@jest/globals';
import { redactLine } from './index.ts';

describe('redactLine', () => {
  it.each([
    ['{"token":"abc"}', '{"token":"[redacted]"}'],
    ['{"a":{"Authorization":"x\\"y"},"b":1}', '{"a":{"Authorization":"[redacted]"},"b":1}'],
    ['{"set-cookie":["a","b"],"n":2}', '{"set-cookie":"[redacted]","n":2}'],
    ['{"apiKey":"k","api_key":"k","ETH_PASSWORD":"p"}', '{"apiKey":"[redacted]","api_key":"[redacted]","ETH_PASSWORD":"[redacted]"}'],
    ['header was Bearer abc.def-g', 'header was Bearer [redacted]'],
  ])('hides secret values: %s', (line, expected) => {
    expect(redactLine(line)).toBe(expected);
  });

  it('shortens a channel URL to host and last 4 characters, wherever it stands', () => {
    expect(redactLine('{"url":"http://127.0.0.1:8090/trickle/q7x2secretname-video","msg":"at http://e:1/t/abcdefgh12/3."}')).toBe(
      '{"url":"http://127.0.0.1:8090/…ideo","msg":"at http://e:1/…2/3."}',
    );
    expect(redactLine('https://user:pass@edge.example/trickle/abcdefgh')).toBe('https://edge.example/…efgh');
  });

  it('hides what makes a token of a capability URL valid, wherever it stands, and keeps what it says', () => {
    const token = 'tc1.k1.ps.tro8w0.oS4eMgoFXLrJeslmSmcARXwS';
    expect(redactLine(`{"msg":"GET /trickle/${token}/video-in/3 and ${token}"}`)).toBe(
      '{"msg":"GET /trickle/tc1.k1.ps.tro8w0.[redacted]/video-in/3 and tc1.k1.ps.tro8w0.[redacted]"}',
    );
    expect(redactLine(`http://e:1/t/${token}/video-in-abcd http://e:1/t/${token}`)).toBe('http://e:1/…abcd http://e:1/…RXwS');
  });

  it('keeps the paths that are said to hold no secret, and nothing under them', () => {
    const open = ['/trickle/'];
    expect(redactLine('http://e:1/trickle http://e:1/trickle/ http://e:1/trickle/abcdefgh', open)).toBe(
      'http://e:1/trickle http://e:1/trickle/ http://e:1/…efgh',
    );
  });

  it('keeps URLs of our API and plain numbers readable', () => {
    const line = '{"url":"http://127.0.0.1:8080/v1/sessions/ses_a","base":"http://127.0.0.1:8080","tokens":5}';
    expect(redactLine(line)).toBe(line);
  });
});
