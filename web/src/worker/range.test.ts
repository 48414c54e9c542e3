import { describe, expect, it } from 'vitest';
import { compareBytes, scanRange, successor } from './range';

const bytes = (...values: number[]) => new Uint8Array(values);

describe('successor', () => {
  it('is the next prefix, carrying over 0xff', () => {
    expect(successor(bytes(1, 2))).toEqual(bytes(1, 3));
    expect(successor(bytes(1, 0xff))).toEqual(bytes(2));
    expect(successor(bytes(0xff, 0xff))).toBeUndefined();
    expect(successor(bytes())).toBeUndefined();
  });
});

describe('compareBytes', () => {
  it('orders by byte, and a prefix before what it begins', () => {
    expect(compareBytes(bytes(1), bytes(1, 0))).toBeLessThan(0);
    expect(compareBytes(bytes(0x80), bytes(0x7f))).toBeGreaterThan(0);
    expect(compareBytes(bytes(3, 4), bytes(3, 4))).toBe(0);
  });
});

describe('scanRange', () => {
  it('goes upwards from a key, inclusive, to the end of the prefix', () => {
    expect(scanRange(bytes(5), bytes(5, 9), false)).toEqual({ lower: bytes(5, 9), upper: bytes(6) });
  });
  it('begins at the prefix when the key stands before it', () => {
    expect(scanRange(bytes(5), bytes(), false)).toEqual({ lower: bytes(5), upper: bytes(6) });
  });
  it('goes downwards below a key, which stays out', () => {
    expect(scanRange(bytes(5), bytes(5, 9), true)).toEqual({ lower: bytes(5), upper: bytes(5, 9) });
  });
  it('takes the whole prefix downwards when the key stands behind it', () => {
    expect(scanRange(bytes(5), bytes(7), true)).toEqual({ lower: bytes(5), upper: bytes(6) });
  });
  it('is empty where nothing can be', () => {
    expect(scanRange(bytes(5), bytes(6), false)).toBeUndefined();
    expect(scanRange(bytes(5), bytes(5), true)).toBeUndefined();
  });
  it('has no upper bound for the prefix of everything', () => {
    expect(scanRange(bytes(), bytes(), false)).toEqual({ lower: bytes(), upper: undefined });
  });
});
