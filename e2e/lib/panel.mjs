// The panel of a group, and what opens over it, as people work with them.

export const dialog = (person, name) => person.page.getByRole('dialog', { name });
export const item = (person, name) => person.page.getByRole('menuitem', { name, exact: true });
export const panelOf = (person) => dialog(person, /^(Tentang grup|About the group)$/);
/** A line of the thread about the group. */
export const told = (person, sentence) => person.page.getByRole('article', { name: sentence, exact: true }).waitFor();

/**
 * Waits until no more than `left` dialogs are in the page. By role a dialog is gone as soon as it is out of sight, and its words are
 * still there for whoever looks for them.
 */
export async function closed(person, left = 0) {
  await person.page.locator('dialog').nth(left).waitFor({ state: 'detached' });
}

export async function openPanel(person) {
  await person.page.locator('header a[href$="/details"]:not([aria-hidden])').click();
  await panelOf(person).getByRole('listitem').first().waitFor();
  return panelOf(person);
}

export async function closePanel(person) {
  await panelOf(person).getByRole('button', { name: /^(Tutup|Close)$/ }).click();
  await closed(person);
}
