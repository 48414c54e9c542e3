import { describe, expect, it } from 'vitest';
import { initialsOf, TONES, toneOf } from './avatar';

describe('avatars', () => {
  it('show the first letters of the first and the last word', () => {
    expect(initialsOf('Budi Santoso Wijaya')).toBe('BW');
    expect(initialsOf('ibu')).toBe('I');
    expect(initialsOf('Halo (demo)')).toBe('H');
    expect(initialsOf('@sari')).toBe('S');
    expect(initialsOf('')).toBe('?');
  });
  it('never cut a character in half', () => {
    expect(initialsOf('👩‍👩‍👧 keluarga')).toBe('👩‍👩‍👧K');
  });
  it('keep their colour', () => {
    expect(toneOf('00ff')).toBe(toneOf('00ff1234'));
    expect(toneOf('ffff')).toBeLessThan(TONES);
    expect(toneOf('')).toBe(0);
  });
});
