import { describe, expect, it } from 'vitest';
import { geoLink, plain, pointAt, pointOf, readable, webLink } from './coordinates';
import { globeOf } from './globe';

const MONAS = { latitude_e7: -61_753_924, longitude_e7: 1_068_271_528 };

describe('coordinates', () => {
  it('are read as people and other programs write them', () => {
    for (const text of [
      '-6.1753924, 106.8271528',
      '−6.1753924 106.8271528',
      '-6,1753924; 106,8271528',
      '6.1753924 S, 106.8271528 E',
      '6,1753924° LS; 106,8271528° BT',
      '106.8271528° E, 6.1753924° S',
      'geo:-6.1753924,106.8271528;u=18',
      'geo:-6.1753924,106.8271528?z=17',
    ])
      expect(pointOf(text), text).toEqual(MONAS);
  });
  it('are read in minutes and seconds', () => {
    const point = pointOf(`6°10'31.41"S 106°49'37.75"E`);
    expect(point?.latitude_e7).toBeCloseTo(-61_753_917, -1);
    expect(point?.longitude_e7).toBeCloseTo(1_068_271_528, -1);
    expect(pointOf('6° 10′ 30″ LS, 106° 49′ 30″ BT')).toEqual({
      latitude_e7: -61_750_000,
      longitude_e7: 1_068_250_000,
    });
  });
  it('are refused where they are none', () => {
    for (const text of ['', 'Jakarta', '10', '91, 0', '0, 181', '1, 2, 3', `6°70' S, 1° E`, '6 N, 7 S', 'a, b', '-, -'])
      expect(pointOf(text), text).toBeUndefined();
    expect(pointAt(Number.NaN, 0)).toBeUndefined();
  });
  it('are said in the words of a language, as a link, and plain', () => {
    expect(readable(MONAS, 'en').replace(/\u00a0/g, ' ')).toBe('6.17539° S, 106.82715° E');
    expect(readable(MONAS, 'id').replace(/\u00a0/g, ' ')).toBe('6,17539° LS, 106,82715° BT');
    expect(plain({ latitude_e7: 0, longitude_e7: 1_200_000_000 })).toEqual(['0', '120']);
    expect(geoLink(MONAS)).toBe('geo:-6.1753924,106.8271528');
    expect(webLink(MONAS)).toContain('https://www.openstreetmap.org/?mlat=-6.1753924&mlon=106.8271528#');
  });
  it('that are said can be read again', () => {
    for (const language of ['en', 'id'] as const) {
      const again = pointOf(readable({ latitude_e7: -61_750_000, longitude_e7: 1_068_250_000 }, language));
      expect(again, language).toEqual({ latitude_e7: -61_750_000, longitude_e7: 1_068_250_000 });
    }
  });
});

describe('the globe', () => {
  it('can be drawn above every place', () => {
    for (const [latitude, longitude] of [
      [0, 0],
      [90, 0],
      [-90, 180],
      [-6, 106],
    ]) {
      const place = { latitude_e7: (latitude ?? 0) * 1e7, longitude_e7: (longitude ?? 0) * 1e7, name: '', address: '' };
      const { grid, main } = globeOf(place, 200);
      expect(grid).toMatch(/^M-?[\d.]+ -?[\d.]+L/);
      expect(grid + main).not.toContain('NaN');
    }
  });
});
