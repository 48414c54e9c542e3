// Two people who know each other already: Rani and Budi, each in the thread with the other.
import { Person } from './person.mjs';

/** Budi wrote first, Rani has answered. `options` are those of Budi's browser. */
export async function pair(browser, server, { budi: options = {}, first = 'Halo', answer = 'Halo juga' } = {}) {
  const rani = await Person.open(browser, server.origin());
  await rani.signUp('Rani');
  const budi = await Person.open(browser, server.origin('dua'), options);
  await budi.signUp('Budi');
  await meet(budi, rani, 'Budi', first, answer);
  return { rani, budi };
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
