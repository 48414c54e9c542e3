// The language of the screens: a typed catalogue for words, Intl for dates and numbers. Of the catalogues only the chosen one is
// fetched; public/theme.js chooses it and asks for it before this code has come.
import { formatAmount } from '../features/commerce/amount';
import { daysBetween } from './days';
import type { en } from './en';

export type Catalogue = {
  [Key in keyof typeof en]: (typeof en)[Key] extends (...parts: infer Parts) => string
    ? (...parts: Parts) => string
    : string;
};
export type Language = 'id' | 'en';

/** Each in its own words, for whoever cannot read the others. */
export const languages: Record<Language, string> = { id: 'Bahasa Indonesia', en: 'English' };

const catalogues: Record<Language, () => Promise<Catalogue>> = {
  id: async () => (await import('./id')).id,
  en: async () => (await import('./en')).en,
};

const regions: Record<Language, string> = { id: 'id-ID', en: 'en-GB' };

class I18n {
  #language: Language = $state('id');
  #words: Catalogue | undefined = $state.raw();
  /** What was chosen last: words of another language that come later than its own are not shown. */
  #wanted: Language = 'id';
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

  get language(): Language {
    return this.#language;
  }

  /** The words of the chosen language. No screen is made before they are here. */
  get t(): Catalogue {
    if (!this.#words) throw new Error('no catalogue was loaded');
    return this.#words;
  }

  /** Fetches the words of the language that the page begins in, or any that can be had. */
  async start(): Promise<void> {
    const chosen = document.documentElement.lang === 'en' ? 'en' : 'id';
    try {
      await this.#speak(chosen);
    } catch {
      await this.#speak(chosen === 'en' ? 'id' : 'en');
    }
  }

  /** The screens change as soon as the words are there. */
  async use(language: Language): Promise<void> {
    // Remembered first: where the words are of a release that is gone, the page comes anew, and then in this language.
    localStorage.setItem('kabar.language', language);
    await this.#speak(language);
  }

  async #speak(language: Language): Promise<void> {
    this.#wanted = language;
    const words = await catalogues[language]();
    if (this.#wanted !== language) return;
    this.#words = words;
    this.#language = language;
    document.documentElement.lang = language;
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
