// Places on the earth as people write them, and as the wire carries them. Pure.
import type { LocationBody } from '../../core/contract';
import type { Language } from '../../i18n/index.svelte';

type Point = Pick<LocationBody, 'latitude_e7' | 'longitude_e7'>;

const E7 = 10_000_000;
/** North, south, east and west as each language shortens them. */
const SIDES: Record<Language, { n: string; s: string; e: string; w: string }> = {
  en: { n: 'N', s: 'S', e: 'E', w: 'W' },
  id: { n: 'LU', s: 'LS', e: 'BT', w: 'BB' },
};
const REGION: Record<Language, string> = { en: 'en-GB', id: 'id-ID' };

export function pointAt(latitude: number, longitude: number): Point | undefined {
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return undefined;
  return { latitude_e7: Math.round(latitude * E7), longitude_e7: Math.round(longitude * E7) };
}

/** 6.17511° S, 106.82720° E. Five places are a metre. */
export function readable({ latitude_e7, longitude_e7 }: Point, language: Language): string {
  const { n, s, e, w } = SIDES[language];
  const format = new Intl.NumberFormat(REGION[language], { minimumFractionDigits: 5, maximumFractionDigits: 5 });
  const said = (value: number, side: string) => `${format.format(Math.abs(value) / E7)}°\u00a0${side}`;
  return `${said(latitude_e7, latitude_e7 < 0 ? s : n)}, ${said(longitude_e7, longitude_e7 < 0 ? w : e)}`;
}

/** For clipboards and links: -6.1751100, 106.8272000, without zeros at the end. */
export function plain({ latitude_e7, longitude_e7 }: Point): [string, string] {
  const said = (value: number) =>
    (value / E7)
      .toFixed(7)
      .replace(/\.?0+$/, '')
      .replace(/^-0$/, '0');
  return [said(latitude_e7), said(longitude_e7)];
}

/** What apps for maps on a device answer to (RFC 5870). */
export function geoLink(point: Point): string {
  return `geo:${plain(point).join(',')}`;
}

export function webLink(point: Point): string {
  const [latitude, longitude] = plain(point);
  return `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=17/${latitude}/${longitude}`;
}

/** `-6.1751, 106.8272`, `6,1751° LS; 106,8272° BT`, `6°10'30" S 106°49'38" E`, or `geo:-6.1751,106.8272`. */
export function pointOf(text: string): Point | undefined {
  const written = text
    .trim()
    .replace(/^geo:([^;?]*).*$/i, '$1')
    .replace(/[−–]/g, '-')
    .toUpperCase();
  const halves = halvesOf(written);
  if (!halves) return undefined;
  const [first, second] = halves.map(degreesOf);
  if (!first || !second) return undefined;
  // Whoever writes the sides may begin with the longitude.
  const turned = first.axis === 'longitude' && second.axis === 'latitude';
  if (!turned && (first.axis === 'longitude' || second.axis === 'latitude')) return undefined;
  return turned ? pointAt(second.value, first.value) : pointAt(first.value, second.value);
}

/** Latitude and longitude apart from each other: by a semicolon, after a side, by a comma, or by a space. */
function halvesOf(text: string): [string, string] | undefined {
  const cuts = [/^([^;]+);([^;]+)$/, /^(.*?[A-Z]+)[\s,]+(.+)$/, /^([^,]+),([^,]+)$/, /^(\S+)\s+(\S+)$/];
  for (const cut of cuts) {
    const found = cut.exec(text);
    if (found?.[1] && found[2]) return [found[1].trim(), found[2].trim()];
  }
  return undefined;
}

const PARTS =
  /^(?<sign>[-+]?)(?<degrees>\d{1,3}(?:[.,]\d+)?)\s*°?\s*(?:(?<minutes>\d{1,2}(?:[.,]\d+)?)\s*['′’]\s*(?:(?<seconds>\d{1,2}(?:[.,]\d+)?)\s*(?:"|″|”|'')\s*)?)?(?<side>N|S|E|W|LU|LS|BT|BB|U|T|B)?$/;

function degreesOf(text: string): { value: number; axis: 'latitude' | 'longitude' | undefined } | undefined {
  const found = PARTS.exec(text)?.groups;
  if (!found) return undefined;
  const number = (part: string | undefined) => Number((part ?? '0').replace(',', '.'));
  const minutes = number(found.minutes);
  const seconds = number(found.seconds);
  if (minutes >= 60 || seconds >= 60) return undefined;
  const size = number(found.degrees) + minutes / 60 + seconds / 3600;
  const { side = '', sign } = found;
  const negative = /^(S|LS|W|BB|B)$/.test(side) !== (sign === '-');
  const axis = side === '' ? undefined : /^(N|S|LU|LS|U)$/.test(side) ? 'latitude' : 'longitude';
  return { value: negative ? -size : size, axis };
}
