// The screens of a business's chat as they are written into the page.
import { render } from 'svelte/server';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Business, Message } from '../../core/contract';
import type { Offer } from './offer';

const business: Business = { name: 'Kopi Nusantara', phone: '+622155501234', keys_held_by: 'operator' };
const offer: Offer = {
  header: '',
  footer: '',
  choices: [
    { id: 'ya', title: 'Ya' },
    { id: 'tidak', title: 'Tidak' },
    { title: 'Baca', href: 'https://toko.example/a', host: 'toko.example' },
  ],
};

/** The screens are Indonesian, as on a page that says so. */
beforeAll(async () => {
  vi.stubGlobal('navigator', { languages: ['id-ID'] });
  vi.stubGlobal('document', { documentElement: { lang: 'id' } });
  const { i18n } = await import('../../i18n/index.svelte');
  await i18n.start();
});

async function choices(given: { offer?: Offer; chosen?: string; links?: boolean }): Promise<string> {
  const { default: Choices } = await import('./Choices.svelte');
  const props = { offer, chosen: undefined, links: true, tabbable: true, onanswer: async () => true, onlist: () => {} };
  return render(Choices, { props: { ...props, ...given } }).body;
}
const count = (html: string, part: string) => html.split(part).length - 1;

describe('what can be tapped', () => {
  it('is open until one was picked', async () => {
    const html = await choices({});
    expect(count(html, 'aria-disabled="false"')).toBe(2);
    expect(html).not.toContain('dipilih');
  });
  it('is closed afterwards, and says which it was', async () => {
    const html = await choices({ chosen: 'tidak' });
    expect(count(html, 'aria-disabled="true"')).toBe(2);
    expect(html).toMatch(/class="picked.*Tidak<\/span>.*dipilih/);
    expect(count(html, 'dipilih')).toBe(1);
  });
  it('shows of a list what was picked', async () => {
    const rows = [{ id: 'gayo', title: 'Gayo', description: null }];
    const list = { button: 'Lihat', sections: [{ title: '', rows }] };
    expect(await choices({ offer: { header: '', footer: '', choices: [], list } })).toContain('Lihat');
    const html = await choices({ offer: { header: '', footer: '', choices: [], list }, chosen: 'gayo' });
    expect(html).toContain('Gayo');
    expect(html).toContain('aria-disabled="true"');
  });
  it('opens links apart, and names their host; a stranger’s lead nowhere', async () => {
    const html = await choices({});
    expect(html).toMatch(/<a href="https:\/\/toko.example\/a" target="_blank" rel="noopener noreferrer"/);
    expect(html).toContain('toko.example</bdi>');
    const dead = await choices({ links: false });
    expect(dead).not.toContain('<a ');
    expect(dead).toContain('toko.example</bdi>');
  });
});

describe('a message of a business', () => {
  it('is read out with who wrote it, its parts and what can be picked', async () => {
    const { default: Bubble } = await import('./Bubble.svelte');
    const message: Message = {
      message_id: 'm',
      conversation_id: 'c',
      from: { account_id: '00', name: '', business },
      mine: false,
      kind: 'interactive',
      text: 'Kapan kurir datang?',
      interactive: {
        header: 'Pesanan 1042',
        body: 'Kapan kurir datang?',
        footer: 'Sampai pukul 20.00',
        action: { buttons: { buttons: [{ id: 'a', title: 'Pagi' }] } },
      },
      automated: true,
      time: 0,
      state: 'received',
    };
    const nothing = () => {};
    const place = { first: true, last: true, marked: false, links: true, tabbable: true, position: 1, total: 1 };
    const acts = {
      onvisit: nothing,
      onresolve: nothing,
      onlist: nothing,
      onpay: nothing,
      onanswer: async () => true,
    };
    const props = {
      message,
      quoted: undefined,
      chosen: undefined,
      update: undefined,
      name: business.name,
      ...place,
      ...acts,
    };
    const { body } = render(Bubble, { props });
    const label = /aria-label="([^"]*)"/.exec(body)?.[1];
    expect(label).toMatch(
      /^Kopi Nusantara, otomatis, Pesanan 1042, Kapan kurir datang\?, Sampai pukul 20.00, Pilihan: Pagi, /,
    );
  });
});

describe('who holds the keys', () => {
  it('is said of the operator as of the business', async () => {
    const { default: KeysNote } = await import('./KeysNote.svelte');
    const said = (keys_held_by: Business['keys_held_by']) =>
      render(KeysNote, { props: { business: { ...business, keys_held_by } } }).body;
    expect(said('operator')).toContain('pengelola server dapat membacanya');
    expect(said('business')).toContain('Hanya Kopi Nusantara yang memegang kunci');
  });
});

describe('a business', () => {
  it('is marked in words, with its number', async () => {
    const { default: BusinessMark } = await import('./BusinessMark.svelte');
    const html = render(BusinessMark, { props: { business } }).body;
    expect(html).toContain('Bisnis');
    expect(html).toContain('+622155501234');
  });
});
