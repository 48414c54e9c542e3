// A picture of a screen as it stands, kept in e2e/out, and what a machine can say about it.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { assertAccessible } from './axe.mjs';

const out = new URL('../out/', import.meta.url);

export async function picture({ page }, name) {
  mkdirSync(out, { recursive: true });
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(250);
  await page.screenshot({ path: new URL(`${name}.png`, out).pathname });
}

/** A picture `name`; no sideways scrolling, no fault of accessibility. `screen` is what a failure calls it. */
export async function look(person, name, screen = name) {
  await picture(person, name);
  const wider = await person.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.equal(wider, false, `${screen} is wider than the screen`);
  await assertAccessible(person.page, screen);
}
