import { describe, expect, it } from '@jest/globals';
import { renderBar } from './progress.ts';

describe('the progress bar', () => {
  it('fills with the share that is done', () => {
    expect(renderBar('streaming', { done: 150, total: 300, note: '150 frames' })).toBe(
      'streaming  [##############..............]  50 %  150 frames',
    );
  });

  it('stays within its bounds when the total is unknown or exceeded', () => {
    expect(renderBar('x', { done: 5, total: 0, note: '' })).toContain('  0 %');
    expect(renderBar('x', { done: 5, total: 4, note: '' })).toContain('100 %');
  });
});
