// What may be picked of a seat map, and where its keys lead.
import { describe, expect, it } from 'vitest';
import type { Fields } from './resolve';
import { hallOf, moved, startOf, toggled, totalOf } from './seats';

const seat = (id: string, state = 'free', price: number | null = 100) => ({ id, state, ...(price ? { price } : {}) });
const gap = { state: 'gap' };

function hall(changes: Fields = {}) {
  return hallOf({
    type: 'SeatMap',
    name: 's',
    currency: 'IDR',
    'max-seats': 2,
    rows: [
      { label: 'A', seats: [seat('A1', 'sold'), seat('A2'), gap, seat('A3'), seat('A3')] },
      { label: 'B', seats: [seat('B1', 'held', 200), seat('B2', 'free', 200), gap, seat('B3', 'odd', 200)] },
      { label: 'C', seats: [gap] },
      { label: '', seats: [seat('C-1', 'free', null)] },
    ],
    ...changes,
  });
}

describe('a seat map', () => {
  it('is read with care', () => {
    const { rows, seats, least, most } = hall();
    expect(rows.map(({ label }) => label)).toEqual(['A', 'B', '']);
    expect([...seats.keys()]).toEqual(['A1', 'A2', 'A3', 'B1', 'B2', 'B3', 'C-1']);
    expect(seats.get('B3')?.state).toBe('sold');
    expect([seats.get('A2')?.short, seats.get('C-1')?.short]).toEqual(['2', 'C-1']);
    expect([least, most]).toEqual([1, 2]);
    expect(rows.map(({ price }) => price)).toEqual([100, 200, undefined]);
    expect(hallOf({ rows: 'none' }).seats.size).toBe(0);
  });
  it('lets free seats be picked, as many as there may be', () => {
    expect(toggled(hall(), [], 'A2')).toEqual({ picked: ['A2'] });
    expect(toggled(hall(), ['A2'], 'A2')).toEqual({ picked: [] });
    expect(toggled(hall(), [], 'A1')).toEqual({ picked: [], hint: 'sold' });
    expect(toggled(hall(), [], 'B1')).toEqual({ picked: [], hint: 'held' });
    expect(toggled(hall(), ['A2', 'A3'], 'B2')).toEqual({ picked: ['A2', 'A3'], hint: 'full' });
    expect(toggled(hall({ 'max-seats': '1' }), ['A2'], 'B2')).toEqual({ picked: ['B2'] });
  });
  it('adds up what it knows', () => {
    expect(totalOf(hall(), ['A2', 'B2'])).toBe(300);
    expect(totalOf(hall(), ['A2', 'C-1'])).toBeUndefined();
    expect(totalOf(hall(), [])).toBeUndefined();
    expect(totalOf(hall({ currency: 'rupiah' }), ['A2'])).toBeUndefined();
  });
  it('is walked through by keys', () => {
    const go = (from: string, key: string, whole = false) => moved(hall(), from, key, whole);
    expect(go('A2', 'ArrowRight')).toBe('A3');
    expect(go('A3', 'ArrowRight')).toBeUndefined();
    expect(go('A3', 'ArrowLeft')).toBe('A2');
    expect(go('A2', 'ArrowDown')).toBe('B2');
    expect(go('B3', 'ArrowDown')).toBe('C-1');
    expect(go('A1', 'ArrowUp')).toBeUndefined();
    expect([go('B2', 'Home'), go('B2', 'End')]).toEqual(['B1', 'B3']);
    expect([go('B2', 'Home', true), go('B2', 'End', true)]).toEqual(['A1', 'C-1']);
    expect(go('X', 'Home')).toBeUndefined();
    expect([startOf(hall(), []), startOf(hall(), ['B2'])]).toEqual(['A2', 'B2']);
  });
});
