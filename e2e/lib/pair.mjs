// People who know each other already, as most tests begin.
import { PHONE, Person } from './person.mjs';

/** Budi wrote first, Rani has answered. `options` are those of Budi's browser. */
export async function pair(browser, server, { budi: options = {}, first = 'Halo', answer = 'Halo juga' } = {}) {
  const rani = await Person.open(browser, server.origin());
  await rani.signUp('Rani');
  const budi = await Person.open(browser, server.origin('dua'), options);
  await budi.signUp('Budi');
  await meet(budi, rani, 'Budi', first, answer);
  return { rani, budi };
}

/** Ani, and two whom she knows: Budi on a phone in the dark, and Citra. The options are those of their browsers. */
export async function three(browser, server, { budi: his = {}, citra: hers = {} } = {}) {
  const ani = await Person.open(browser, server.origin());
  await ani.signUp('Ani Lestari');
  const budi = await Person.open(browser, server.origin('dua'), { colorScheme: 'dark', ...PHONE, ...his });
  await budi.signUp('Budi Santoso');
  const citra = await Person.open(browser, server.origin('tiga'), hers);
  await citra.signUp('Citra Dewi');
  await meet(budi, ani, 'Budi');
  await meet(citra, ani, 'Citra');
  return { ani, budi, citra };
}

/** `one`, who is called `name`, writes to `other` for the first time and is answered; both are in the thread. */
export async function meet(one, other, name, first = 'Halo', answer = 'Halo juga') {
  await one.openChatWith(await other.link());
  await one.say(first);
  await other.go('/');
  await other.openChatFromList(name);
  await other.sees(first);
  await other.say(answer);
  await one.sees(answer);
}
