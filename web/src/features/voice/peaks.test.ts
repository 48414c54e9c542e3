import { describe, expect, it } from 'vitest';
import { barsOf, levelOf, strokesOf, thinned, WAVEFORM_BYTES_MAX, waveformOf } from './peaks';

describe('the level of a moment', () => {
  it('is nothing for silence and all for a full tone', () => {
    expect(levelOf(new Float32Array(256))).toBe(0);
    expect(levelOf([])).toBe(0);
    expect(levelOf([1, -1, 1, -1])).toBe(1);
  });

  it('falls by decibels: half as loud is a tenth lower', () => {
    const half = levelOf([0.5, -0.5]);
    expect(half).toBeCloseTo(1 - 6.02 / 60, 3);
    expect(levelOf([0.0001])).toBe(0);
  });
});

describe('thinning', () => {
  it('keeps the greatest of each part, and every value in some part', () => {
    expect(thinned([0, 1, 0, 0, 0.5, 0.2], 3)).toEqual([1, 0, 0.5]);
    expect(thinned([0.1, 0.2, 0.3, 0.9, 0.5], 2)).toEqual([0.2, 0.9]);
    const loud = Array.from({ length: 1237 }, (_, i) => (i === 777 ? 1 : 0));
    expect(Math.max(...thinned(loud, 100))).toBe(1);
  });

  it('invents nothing', () => {
    expect(thinned([0.3, 0.4], 100)).toEqual([0.3, 0.4]);
    expect(thinned([], 100)).toEqual([]);
  });
});

describe('the waveform of a recording', () => {
  it('has at most a hundred bytes, the loudest of them 255', () => {
    const long = Array.from({ length: 72_000 }, (_, i) => 0.4 + 0.2 * Math.sin(i / 50));
    const bytes = waveformOf(long);
    expect(bytes).toHaveLength(WAVEFORM_BYTES_MAX);
    expect(Math.max(...bytes)).toBe(255);
  });

  it('does not blow up a silent room', () => {
    expect(Math.max(...waveformOf([0.05, 0.1, 0.07]))).toBeLessThan(80);
    expect(waveformOf([])).toHaveLength(0);
  });
});

describe('what is drawn', () => {
  it('has as many bars as asked for, however many bytes came', () => {
    expect(barsOf(new Uint8Array(), 40)).toHaveLength(40);
    expect(barsOf(new Uint8Array([255, 0]), 4)).toEqual([1, 1, 0, 0]);
    expect(barsOf(new Uint8Array(100).fill(255), 48)).toEqual(new Array(48).fill(1));
  });

  it('is one path, in which silence is a dot', () => {
    expect(strokesOf([0, 1], 32, 4)).toBe('M2.0 15.0v2.0M6.0 1.0v30.0');
  });
});
