// Runs a Python script of checks: each becomes a subtest, and what the script asks of the person is done meanwhile.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = new URL('../../../', import.meta.url);
const interpreter = process.env.KABAR_CONFORMANCE_PYTHON ?? fileURLToPath(new URL('.tools/conformance-venv/bin/python', root));

/** What a script may ask: the person's own methods, by these names. */
const ASKS = ['sees', 'seesRead', 'says', 'taps', 'picks', 'fills', 'sendsFile', 'reads'];

/** `t` is the test that the checks belong to; the script talks JSON lines, see checks.py. */
export async function runChecks(t, script, { company, directory, site, rani, budi }) {
  const child = spawn(interpreter, [fileURLToPath(new URL(`../${script}`, import.meta.url))], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  const answer = (value) => child.stdin.write(`${JSON.stringify(value)}\n`);
  answer({ company, directory, site, person: rani.digits, closed: budi.digits });
  let checks = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const { name, ok, details, ask, values } = JSON.parse(line);
    if (ask !== undefined) {
      answer(await asked(rani, ask, values));
    } else {
      checks += 1;
      await t.test(name, () => assert.ok(ok, details));
    }
  }
  const [code, signal] = await closed;
  assert.equal(signal ?? code, 0, `${script} ended with ${signal ?? code}:\n${errors}`);
  assert.ok(checks > 0, `${script} checked nothing`);
}

async function asked(person, ask, values) {
  try {
    assert.ok(ASKS.includes(ask), `nobody knows how to ${ask}`);
    return { answer: (await person[ask](...values)) ?? null };
  } catch (error) {
    return { error: error.message };
  }
}
