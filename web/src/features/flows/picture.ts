// A picture that came inside Flow JSON as base64: an address for it, if it is of a kind that browsers show. Pure.

const KINDS: [start: string, type: string][] = [
  ['/9j/', 'jpeg'],
  ['iVBORw0KGgo', 'png'],
  ['UklGR', 'webp'],
  ['R0lGOD', 'gif'],
];

export function pictureOf(source: string): string {
  const base64 = source.replace(/^data:image\/[a-z]+;base64,/, '');
  const type = KINDS.find(([start]) => base64.startsWith(start))?.[1];
  return type && /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? `data:image/${type};base64,${base64}` : '';
}
