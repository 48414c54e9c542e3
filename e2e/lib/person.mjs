// One person with a browser of his own, doing what people do: by the words on the screen, never by the insides of the app.
import assert from 'node:assert/strict';
import { words } from './words.mjs';

const TIMEOUT_MS = 12_000;

/** The browser of somebody on a phone. */
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

export class Person {
  constructor(context, page, origin, language) {
    this.context = context;
    this.page = page;
    this.origin = origin;
    this.t = words[language];
    /** Everything the browser complained about. */
    this.complaints = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
  }

  static async open(browser, origin, { language = 'id', path = '/', ...options } = {}) {
    const locale = { id: 'id-ID', en: 'en-GB' }[language];
    const context = await browser.newContext({ locale, viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    const person = new Person(context, page, origin, language);
    page.setDefaultTimeout(TIMEOUT_MS);
    await page.goto(origin + path);
    return person;
  }

  async signUp(name) {
    await this.page.getByLabel(this.t.question).fill(name);
    await this.page.keyboard.press('Enter');
    await this.page.getByRole('navigation', { name: this.t.chats }).waitFor();
  }

  async go(path) {
    await this.page.evaluate((hash) => location.assign(hash), `#${path}`);
  }

  /** The address by which others find this person. */
  async link() {
    await this.go('/code');
    return (await this.page.locator('code').textContent()).trim();
  }

  async openChatWith(link) {
    await this.go('/new');
    await this.page.getByLabel(this.t.who).fill(link);
    await this.page.keyboard.press('Enter');
    await this.composer.waitFor();
  }

  /** The chat of a stranger is found among the requests. */
  async openChatFromList(name) {
    const list = this.page.getByRole('navigation');
    const row = list.getByRole('link', { name: new RegExp(name) });
    const tray = list.getByRole('link', { name: this.t.requests });
    await row.or(tray).first().waitFor();
    if ((await row.count()) === 0) await tray.click();
    await row.click();
    await this.composer.waitFor();
  }

  get composer() {
    return this.page.getByRole('textbox', { name: this.t.composer });
  }

  async say(text) {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  /** The message as its label reads: who, text, time, state. */
  message(text) {
    return this.page.getByRole('article', { name: new RegExp(escaped(text)) });
  }

  async sees(text, timeout = 15_000) {
    await this.message(text).first().waitFor({ timeout });
  }

  /** Waits until the label of the message says how far it got. */
  async seesState(text, state, timeout = 15_000) {
    await this.page
      .getByRole('article', { name: new RegExp(`${escaped(text)}, .*, ${escaped(state)}$`) })
      .waitFor({ timeout });
  }

  calm() {
    assert.deepEqual(this.complaints, [], 'the console has to be empty');
  }

  async close() {
    await this.context.close();
  }
}

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
