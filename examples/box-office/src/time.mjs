// Times as the shops' customers read them: western Indonesia. Pure.
export const ZONE = 'Asia/Jakarta';
const OFFSET_MS = 7 * 3_600_000;
export const DAY_MS = 86_400_000;

/** Midnight of the day in Jakarta that `ms` lies in. */
export function dayOf(ms) {
  return Math.floor((ms + OFFSET_MS) / DAY_MS) * DAY_MS - OFFSET_MS;
}

/** `2611241930`: a time to the minute, short enough for the id of a row. */
export function stamp(ms) {
  return new Date(ms + OFFSET_MS).toISOString().slice(2, 16).replaceAll(/\D/g, '');
}

export function unstamp(text) {
  const found = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text ?? '');
  if (!found) return undefined;
  const [year, month, day, hour, minute] = found.slice(1).map(Number);
  return Date.UTC(2000 + year, month - 1, day, hour, minute) - OFFSET_MS;
}

/** `Sel 24 Nov 19.30 WIB`: buyers may be in another of the country's three zones. */
export function when(ms, language) {
  const locale = { id: 'id-ID', en: 'en-GB' }[language];
  const part = (options) => new Intl.DateTimeFormat(locale, { timeZone: ZONE, ...options }).format(ms);
  const day = `${part({ weekday: 'short' })} ${part({ day: 'numeric' })} ${part({ month: 'short' })}`;
  const time = part({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return `${day} ${time} WIB`;
}

/** `5 menit`, `30 detik`. */
export function lasting(ms, language) {
  const [unit, amount] = ms % 60_000 === 0 ? ['minute', ms / 60_000] : ['second', ms / 1000];
  const locale = { id: 'id-ID', en: 'en-GB' }[language];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(amount);
}

/** Rupiah, without the cents that nobody has. */
export function rupiah(amount) {
  return `Rp${new Intl.NumberFormat('id-ID').format(amount)}`;
}
