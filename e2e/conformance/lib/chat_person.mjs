// A person with `kabar chat`: receives all the time, and writes, taps, picks and reads when told to.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Mailbox } from './mailbox.mjs';

const run = promisify(execFile);
/** The same as of e2e/lib/server.mjs. */
const binary = process.env.KABAR_BIN ?? fileURLToPath(new URL('../../../target/debug/kabar', import.meta.url));
const COMMAND_MS = 30_000;

export class ChatPerson {
  #options;
  #environment;
  #receiving;

  constructor(server, directory, name, phone) {
    this.server = server;
    this.name = name;
    this.phone = phone;
    this.inbox = new Mailbox(`${name}'s chats`);
    this.#options = ['chat', '--json', '--server', `http://127.0.0.1:${server.port}`, '--home', join(directory, name)];
    const { KABAR_HOME, KABAR_SERVER, ...environment } = process.env;
    this.#environment = environment;
  }

  /** A person whose number is proved; not receiving yet. */
  static async register(server, directory, name, phone) {
    const person = new ChatPerson(server, directory, name, phone);
    await person.#command('register', '--name', name, '--phone', phone);
    await person.#command('verify', '--code', server.admin('registration-code', phone).code);
    return person;
  }

  /** As the Cloud API writes the number. */
  get digits() {
    return this.phone.slice(1);
  }

  /** Takes in what comes, until `stop` or the next command. */
  follow() {
    const child = spawn(binary, [...this.#options, 'receive', '--follow'], { env: this.#environment, stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: child.stdout }).on('line', (line) => this.inbox.put(JSON.parse(line)));
    this.#receiving = { child, closed: once(child, 'close') };
  }

  async stop() {
    const receiving = this.#receiving;
    this.#receiving = undefined;
    receiving?.child.kill('SIGINT');
    await receiving?.closed;
  }

  async #command(...command) {
    const { stdout } = await run(binary, [...this.#options, ...command], { env: this.#environment, timeout: COMMAND_MS });
    return stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }

  /** One command at a time has the home: receiving pauses meanwhile, and nothing is lost by it. */
  async does(...command) {
    const paused = this.#receiving !== undefined;
    await this.stop();
    try {
      return await this.#command(...command);
    } finally {
      if (paused) this.follow();
    }
  }

  /** The message with this text, as it is shown. */
  sees(text) {
    return this.inbox.first((item) => item.text === text, `a message "${text}"`);
  }

  /** The receipt of a message of this person: the other side has read it. */
  seesRead(messageId) {
    const fits = (item) => item.kind === 'receipt' && item.state === 'read' && item.message_id === messageId;
    return this.inbox.first(fits, `a read receipt of ${messageId}`);
  }

  async says(to, text) {
    const [sent] = await this.does('send', '--to', to, '--text', text);
    return sent;
  }

  async sendsFile(to, path, text) {
    const [sent] = await this.does('send', '--to', to, '--file', path, ...(text ? ['--text', text] : []));
    return sent;
  }

  taps(message, button) {
    return this.does('tap', '--message', message.message_id, '--button', button);
  }

  picks(message, row) {
    return this.does('list-select', '--message', message.message_id, '--row', row);
  }

  /** A flow from its first screen to its end. */
  fills(message, answers) {
    return this.does('flow-submit', '--message', message.message_id, '--answers', JSON.stringify(answers));
  }

  reads(message) {
    return this.does('read', '--message', message.message_id);
  }
}
