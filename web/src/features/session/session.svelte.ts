// The line to the core and the state of the connection. Owns no account and no messages.
import type { ConnectionState } from '../../core/contract';
import type { CoreLink } from '../../core/link';
import type { Ownership, Trouble } from '../../core/messages';

class Session {
  ownership: Ownership | undefined = $state();
  trouble: Trouble | undefined = $state();
  connection: ConnectionState = $state('connecting');
  /** The core is sitting out a delay after a failed try. */
  retrying = $state(false);
  #networked = $state(navigator.onLine);
  /** The connection as a person should hear of it: between two failed tries there is none. */
  readonly status: ConnectionState = $derived.by(() => {
    if (this.connection === 'online') return 'online';
    return this.retrying || !this.#networked ? 'offline' : this.connection;
  });
  /** How the server lets people in; unknown until it has been reached. */
  registration: string | undefined = $state();
  #link: CoreLink | undefined;

  constructor() {
    for (const name of ['online', 'offline'] as const) {
      window.addEventListener(name, () => {
        this.#networked = name === 'online';
      });
    }
  }

  get link(): CoreLink {
    if (!this.#link) throw new Error('the core has not been started');
    return this.#link;
  }

  set link(link: CoreLink) {
    this.#link = link;
  }
}

export const session = new Session();
