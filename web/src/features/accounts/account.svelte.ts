// The account of this device: who I am, and the wishes that change it.
import type { Me, PhoneCode } from '../../core/contract';
import { session } from '../session/session.svelte';

/** Remembered outside of the sealed store only so that the next start shows the right first screen before the core is up. */
const HINT = 'kabar.account';

class Account {
  /** null: there is none yet; undefined: the core has not said. */
  me: Me | null | undefined = $state();
  /** True where the last visit ended with an account. */
  expected = $state(localStorage.getItem(HINT) === '1');

  /** There was an account here, and the browser has cleared its keys. */
  lost = $state(false);

  become(me: Me | null): void {
    this.lost = me === null && this.expected;
    this.me = me;
    this.expected = me !== null;
    if (me) localStorage.setItem(HINT, '1');
    else localStorage.removeItem(HINT);
  }

  forget(): void {
    this.me = undefined;
  }

  async register(name: string, invite: string): Promise<void> {
    await session.link.request({ type: 'register', name, invite: invite || null });
    // Without this the browser may clear the keys when the disk is full.
    void navigator.storage?.persist?.();
  }

  async setName(name: string): Promise<void> {
    await session.link.request({ type: 'set_name', name });
  }

  async setUsername(username: string): Promise<void> {
    await session.link.request({ type: 'set_username', username: username || null });
  }

  requestPhoneCode(phone: string): Promise<PhoneCode> {
    return session.link.request({ type: 'request_phone_code', phone });
  }

  async verifyPhone(code: string): Promise<void> {
    await session.link.request({ type: 'verify_phone', code });
  }
}

export const account = new Account();
