// Sizes as people read them: three digits at most, units of a thousand.

const UNITS = ['B', 'kB', 'MB', 'GB'];

export function sizeText(bytes: number, count: (number: number) => string): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const rounded = unit > 0 && value < 9.95 ? Math.round(value * 10) / 10 : Math.round(value);
  return `${count(rounded)} ${UNITS[unit]}`;
}
