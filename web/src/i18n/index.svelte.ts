// The language of the screens: a typed catalogue for words, Intl for dates and numbers.
import { formatAmount } from '../features/commerce/amount';
import { daysBetween } from './days';
import { en } from './en';
import { id } from './id';

export type Catalogue = {
  [Key in keyof typeof en]: (typeof en)[Key] extends (...parts: infer Parts) => string
    ? (...parts: Parts) => string
    : string;
};
export type Language = 'id' | 'en';

const catalogues: Record<Language, Catalogue> = { id, en };
export const languages = Object.keys(catalogues) as Language[];

const regions: Record<Language, string> = { id: 'id-ID', en: 'en-GB' };

/** Languages close enough to Indonesian that its catalogue serves better than English. */
const indonesian = /^(id|in|ms|jv|su)\b/i;

function preferred(): Language {
  const stored = localStorage.getItem('kabar.language');
  if (stored === 'id' || stored === 'en') return stored;
  return navigator.languages.some((tag) => indonesian.test(tag)) ? 'id' : 'en';
}

class I18n {
  language: Language = $state(preferred());
  /** The words of the chosen language. */
  readonly t: Catalogue = $derived(catalogues[this.language]);
  /** Dates as the person's region writes them, where the browser knows one of that language. */
  readonly locale = $derived(
    navigator.languages.find((tag) => tag.startsWith(`${this.language}-`)) ?? regions[this.language],
  );
  readonly #time = $derived(new Intl.DateTimeFormat(this.locale, { hour: '2-digit', minute: '2-digit' }));
  readonly #weekday = $derived(new Intl.DateTimeFormat(this.locale, { weekday: 'short' }));
  readonly #shortDay = $derived(new Intl.DateTimeFormat(this.locale, { day: 'numeric', month: 'short' }));
  readonly #day = $derived(new Intl.DateTimeFormat(this.locale, { weekday: 'long', day: 'numeric', month: 'long' }));
  readonly #longDay = $derived(new Intl.DateTimeFormat(this.locale, { dateStyle: 'long' }));
  readonly #appointment = $derived(
    new Intl.DateTimeFormat(this.locale, {
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      hour: '2-digit',
      minute: '2-digit',
    }),
  );
  readonly #count = $derived(new Intl.NumberFormat(this.locale));

  use(language: Language): void {
    this.language = language;
    localStorage.setItem('kabar.language', language);
    document.documentElement.lang = language;
  }

  name(language: Language): string {
    return catalogues[language].language_name;
  }

  time(ms: number): string {
    return this.#time.format(ms);
  }

  count(number: number): string {
    return this.#count.format(number);
  }

  /** Minor units of a currency. */
  amount(minor: number, currency: string): string {
    return formatAmount(minor, currency, this.locale);
  }

  /** A day not far away and its time; today the time alone. */
  appointment(ms: number, now = Date.now()): string {
    return (daysBetween(ms, now) === 0 ? this.#time : this.#appointment).format(ms);
  }

  /** As short as a list row needs: the time today, else the weekday within a week, else the date. */
  moment(ms: number, now = Date.now()): string {
    const days = daysBetween(ms, now);
    if (days <= 0) return this.#time.format(ms);
    if (days === 1) return this.t.yesterday;
    return days < 7 ? this.#weekday.format(ms) : this.#shortDay.format(ms);
  }

  /** The heading of a day in a thread. */
  day(ms: number, now = Date.now()): string {
    const days = daysBetween(ms, now);
    if (days <= 0) return this.t.today;
    if (days === 1) return this.t.yesterday;
    return days < 300 ? this.#day.format(ms) : this.#longDay.format(ms);
  }
}

export const i18n = new I18n();
