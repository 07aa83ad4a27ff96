import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { makeTestClip } from '@runnel/media';
import { runCli } from './testing/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'runnel-bad-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = join(folder, 'notes.mp4');
writeFileSync(text, 'This is no video.\n'.repeat(1000));
/** Looks like MPEG-TS (sync bytes where they belong), holds noise. */
const broken = join(folder, 'broken.ts');
const noise = Buffer.alloc(188 * 2000);
for (let at = 0, seed = 7; at < noise.length; at += 1) {
  seed = (seed * 1103515245 + 12345) & 0x7fffffff;
  noise[at] = at % 188 === 0 ? 0x47 : seed >> 16;
}
writeFileSync(broken, noise);
const out = (name: string) => ['--output', join(folder, name)];

describe('bad input gives one clear line, exit code 2, and leaves nothing running', () => {
  it.each<[string, string, string[]]>([
    ['a file that is not there', 'file_not_found', ['demo', '--input', join(folder, 'nope.mp4'), ...out('a.mp4')]],
    ['a file that is not video', 'not_video', ['demo', '--input', text, ...out('b.mp4')]],
    ['a folder', 'not_video', ['demo', '--input', folder, ...out('c.mp4')]],
    ['a broken transport stream', '(broken_media|not_video)', ['demo', '--input', broken, ...out('d.mp4')]],
    ['an unknown processor', 'unknown_processor', ['demo', '--seconds', '1', '--processor', 'sharpen9000', ...out('e.mp4')]],
    [
      'a parameter out of range',
      'invalid_params',
      ['demo', '--seconds', '1', '--processor', 'tint', '--param', 'amount=7', ...out('f.mp4')],
    ],
    [
      'a parameter that does not exist',
      'invalid_params',
      ['demo', '--seconds', '1', '--processor', 'blur', '--param', 'radios=3', ...out('g.mp4')],
    ],
    ['a parameter without a value', 'invalid_usage', ['demo', '--param', 'radius', ...out('h.mp4')]],
    [
      'a model that is not there',
      'model_failed',
      ['demo', '--seconds', '1', '--processor', 'onnx', '--param', 'model=/nope.onnx', ...out('i.mp4')],
    ],
    [
      'a model that is no model',
      'model_failed',
      ['demo', '--seconds', '1', '--processor', 'onnx', '--param', `model=${text}`, ...out('j.mp4')],
    ],
    [
      'an output that cannot be written',
      'file_not_writable',
      ['demo', '--seconds', '1', '--output', join(folder, 'no', 'such', 'folder.mp4')],
    ],
    ['a negative length', 'invalid_usage', ['demo', '--seconds', '-3', ...out('k.mp4')]],
    ['an unknown flag', 'invalid_usage', ['demo', '--speed', '3']],
    ['an unknown command', 'invalid_usage', ['demonstrate']],
    ['a URL that is none', 'invalid_usage', ['play', 'not a url', '--output', join(folder, 'l.ts')]],
    ['an edge that is not there', 'edge_unreachable', ['inspect', 'http://127.0.0.1:9/trickle/x']],
  ])(
    '%s',
    async (_, code, args) => {
      const ran = await runCli(args, { deadlineMs: 40_000 });
      const lines = ran.stderr.split('\n').filter((line) => line !== '' && !/^(test clip|streaming) /.test(line));
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(new RegExp(`^error: .*\\[${code}\\]$`));
      expect(ran.stderr).not.toMatch(/\n\s+at /);
      expect([ran.code, ran.leftBehind]).toEqual([code === 'edge_unreachable' ? 1 : 2, []]);
    },
    60_000,
  );

  it('also when the output is the input, named twice or by a link, which stays as it is', async () => {
    const clip = join(folder, 'clip.mp4');
    await makeTestClip({ path: clip, seconds: 1, width: 320, height: 180 });
    symlinkSync(clip, join(folder, 'link.mp4'));
    const before = readFileSync(clip);
    for (const output of ['clip.mp4', 'link.mp4']) {
      const ran = await runCli(['demo', '--json', '--input', clip, ...out(output)]);
      expect(JSON.parse(ran.stdout)).toMatchObject({
        error: { code: 'file_not_writable', message: expect.stringContaining('the input itself') },
      });
      expect([ran.code, ran.leftBehind]).toEqual([2, []]);
    }
    expect(readFileSync(clip).equals(before)).toBe(true);
  }, 60_000);

  it('as JSON when asked', async () => {
    const ran = await runCli(['demo', '--json', '--input', text, ...out('m.mp4')]);
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code: 'not_video', retryable: false } });
    expect([ran.code, ran.stderr]).toEqual([2, '']);
  }, 60_000);
});
