// Three public SDKs of the Cloud API, unmodified, with a real person on the other side: what they send is seen, what the person does
// comes back. See README.md for what is not asked of the gateway yet.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { kapsoTests } from './kapso.mjs';
import { runChecks } from './lib/python.mjs';
import { startWorld } from './lib/world.mjs';

let world;

before(async () => {
  world = await startWorld();
});

after(async () => {
  await world?.stop();
});

test('pywa 4.5.0', (t) => runChecks(t, 'pywa_checks.py', world));
test('heyoo 0.1.2', (t) => runChecks(t, 'heyoo_checks.py', world));
kapsoTests(() => world);

test('nothing free-form reached the person who never wrote', () => {
  const kinds = world.budi.inbox.items.map(({ kind }) => kind);
  assert.deepEqual(kinds.filter((kind) => kind === 'text' || kind === 'interactive'), []);
});
