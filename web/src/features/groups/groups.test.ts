import { describe, expect, it, vi } from 'vitest';
import type { GroupMember, GroupRole, GroupView, Message, MessageKind, Person } from '../../core/contract';
import { CoreError } from '../../core/link';
import { allowed } from '../messaging/changes/allowed';
import { nameOf } from '../messaging/person';
import { inOrder, matching } from './people';
import { PHOTO_BYTES_MAX, smallest, squareOf } from './picture';
import { actsOn, heirs, rightsOf } from './rights';
import { isolated, partsOf, plain, sentenceOf, shortName, type Teller } from './sentence';
import { catalogues } from './words';

const person = (account_id: string, name: string): Person => ({ account_id, name });
const [me, budi, citra] = [person('01', 'Ani'), person('02', 'Budi Santoso'), person('03', 'Citra')];

const teller = (language: 'id' | 'en'): Teller => ({
  w: catalogues[language],
  language,
  me: me.account_id,
  nameOf: (known) => nameOf(known, '?'),
});

function notice(kind: MessageKind, from: Person, about: Person[] = [], text?: string): Message {
  const bare = { message_id: 'm', conversation_id: 'c', from, mine: false, kind, about, time: 0, state: 'received' };
  return { ...bare, ...(text === undefined ? {} : { text }) } as Message;
}

function said(language: 'id' | 'en', ...parts: Parameters<typeof notice>): string {
  return plain(sentenceOf(notice(...parts), teller(language)) ?? '');
}

/** What a browser would draw: so many bytes for each pixel, in the types that it writes. */
const drawing = (bytesPerPixel: number, writes = ['image/webp', 'image/jpeg']) =>
  vi.fn(async (side: number, type: string, quality: number) => {
    const made = writes.includes(type) ? type : 'image/png';
    return new Blob([new Uint8Array(Math.round(side * side * quality * bytesPerPixel))], { type: made });
  });

describe('a picture of a group', () => {
  it('is the middle of what was chosen', () => {
    expect(squareOf(3000, 2000)).toEqual({ x: 500, y: 0, side: 2000 });
    expect(squareOf(7, 100)).toEqual({ x: 0, y: 46, side: 7 });
    expect(squareOf(64, 64)).toEqual({ x: 0, y: 0, side: 64 });
  });

  it('is as good as it may be large', async () => {
    const plain = drawing(0.05);
    expect((await smallest(plain))?.size).toBe(4096);
    expect(plain).toHaveBeenCalledTimes(1);
    const busy = await smallest(drawing(0.4));
    expect(busy?.size).toBe(10322);
    expect(busy?.size).toBeLessThanOrEqual(PHOTO_BYTES_MAX);
  });

  it('takes the last byte that there is, and not one more', async () => {
    const exact = (size: number) => async () => new Blob([new Uint8Array(size)], { type: 'image/webp' });
    expect((await smallest(exact(PHOTO_BYTES_MAX)))?.size).toBe(12_288);
    expect(await smallest(exact(PHOTO_BYTES_MAX + 1))).toBeUndefined();
  });

  it('is a JPEG where no WebP is written, and nothing where neither is', async () => {
    expect((await smallest(drawing(0.05, ['image/jpeg'])))?.type).toBe('image/jpeg');
    expect(await smallest(drawing(0.05, []))).toBeUndefined();
  });
});

describe('what happened in a group', () => {
  it('is told of others, of oneself, and to oneself', () => {
    expect(said('id', 'notice_group_created', me)).toBe('Anda membuat grup');
    expect(said('en', 'notice_added', budi, [me])).toBe('Budi Santoso added you');
    expect(said('id', 'notice_added', budi, [citra, me])).toBe('Budi Santoso menambahkan Anda dan Citra');
    expect(said('en', 'notice_added', me, [budi, citra])).toBe('You added Budi Santoso and Citra');
    expect(said('id', 'notice_removed', citra, [me])).toBe('Citra mengeluarkan Anda');
    expect(said('en', 'notice_left', budi, [budi])).toBe('Budi Santoso left the group');
    expect(said('en', 'notice_group_name', citra, [], 'Trip')).toBe('Citra renamed the group to Trip');
    expect(said('id', 'notice_group_description', me)).toBe('Anda menghapus keterangan grup');
  });
  it('says it without a doer where nobody knows who did it', () => {
    expect(said('en', 'notice_removed', me, [me])).toBe('You were removed from the group');
    expect(said('id', 'notice_added', budi, [budi])).toBe('Budi Santoso bergabung lewat tautan');
  });
  it('names roles and settings in words', () => {
    expect(said('id', 'notice_role', me, [budi], 'admin')).toBe('Anda menjadikan Budi Santoso admin');
    expect(said('en', 'notice_role', budi, [me], 'owner')).toBe('Budi Santoso made you an owner');
    expect(said('en', 'notice_role', budi, [budi], 'member')).toBe('Budi Santoso is a plain member now');
    expect(said('en', 'notice_group_settings', budi, [], 'post: admins, add: all')).toBe(
      'Budi Santoso changed the settings: only admins may write, everyone may add people',
    );
    expect(said('en', 'notice_group_settings', budi, [], 'later: all')).toBe('Budi Santoso changed the settings: ');
  });
  it('counts people beyond the eighth', () => {
    const many = Array.from({ length: 11 }, (_, i) => person(`a${i}`, `N${i}`));
    expect(said('en', 'notice_added', budi, many)).toContain('N7 and 3 members');
  });
  it('is nothing for messages', () => {
    expect(sentenceOf(notice('text', budi), teller('id'))).toBeUndefined();
  });
});

describe('a name in a sentence', () => {
  it('cannot turn the words around it, nor end its own isolation', () => {
    const evil = person('04', 'abc\u202e\u2069 removed Budi');
    const sentence = sentenceOf(notice('notice_left', evil), teller('en')) ?? '';
    expect(partsOf(sentence)).toEqual([
      { text: 'abc removed Budi', name: true },
      { text: ' left the group', name: false },
    ]);
    expect(partsOf(isolated('a'))).toEqual([{ text: 'a', name: true }]);
  });
  it('is its first word where many stand together', () => {
    expect(shortName('  Budi Santoso ')).toBe('Budi');
    expect(shortName('@rani')).toBe('@rani');
  });
});

function group(mine: GroupRole | undefined, others: GroupRole[], settings = {}): GroupView {
  const members: GroupMember[] = others.map((role, i) => ({ ...person(`1${i}`, `M${i}`), role, me: false }));
  if (mine) members.unshift({ ...me, role: mine, me: true });
  const standing = mine ? 'member' : 'left';
  const all = { post: 'all', add: 'admins', edit: 'admins', ...settings } as GroupView['settings'];
  return {
    conversation_id: 'c',
    name: 'G',
    description: '',
    standing,
    members,
    settings: all,
    invites: [],
    large: false,
  };
}
const actsOf = (mine: GroupRole, other: GroupRole) => {
  const view = group(mine, [other]);
  return actsOn(view.members[1] as GroupMember, view);
};

describe('rights in a group', () => {
  it('are those of the policy', () => {
    expect(actsOf('member', 'member')).toEqual(['message']);
    expect(actsOf('admin', 'member')).toEqual(['message', 'make_admin', 'remove']);
    expect(actsOf('admin', 'admin')).toEqual(['message']);
    expect(actsOf('admin', 'owner')).toEqual(['message']);
    expect(actsOf('owner', 'admin')).toEqual(['message', 'make_owner', 'dismiss', 'remove']);
    expect(actsOf('owner', 'owner')).toEqual(['message', 'dismiss', 'remove']);
  });
  it('follow the settings', () => {
    expect(rightsOf(group('member', []))).toEqual({ inside: true, add: false, edit: false, settings: false });
    expect(rightsOf(group('member', [], { add: 'all', edit: 'all' }))).toMatchObject({ add: true, edit: true });
    expect(rightsOf(group('admin', []))).toMatchObject({ add: true, edit: true, settings: true });
    expect(rightsOf(group(undefined, ['owner']))).toEqual({ inside: false, add: false, edit: false, settings: false });
  });
  it('let one lay down a role, but not the last owner', () => {
    const own = (view: GroupView) => actsOn(view.members[0] as GroupMember, view);
    expect(own(group('admin', ['owner']))).toEqual(['step_down']);
    expect(own(group('owner', ['admin']))).toEqual([]);
    expect(own(group('owner', ['owner']))).toEqual(['step_down']);
  });
  it('ask the last owner for an heir, admins first', () => {
    const names = (view: GroupView) => heirs(view.members).map(({ name }) => name);
    expect(names(group('owner', ['member', 'admin']))).toEqual(['M1', 'M0']);
    expect(names(group('owner', ['owner', 'member']))).toEqual([]);
    expect(names(group('owner', []))).toEqual([]);
    expect(names(group('admin', ['owner']))).toEqual([]);
  });
});

describe('members', () => {
  it('are found by name and by handle, in the order of names', () => {
    const people = [{ ...citra, username: 'cici' }, budi, me];
    const found = (text: string) => matching(people, text, ({ name }) => name).map(({ name }) => name);
    expect(found('')).toEqual(['Ani', 'Budi Santoso', 'Citra']);
    expect(found('SANTO')).toEqual(['Budi Santoso']);
    expect(found('@cici')).toEqual(['Citra']);
  });
  it('stand by role, oneself first among equals, then by name', () => {
    const member = (known: Person, role: GroupRole, mine = false): GroupMember => ({ ...known, role, me: mine });
    const dewi = person('04', 'Dewi');
    const all = [member(citra, 'member'), member(budi, 'member'), member(dewi, 'member', true), member(me, 'admin')];
    expect(inOrder(all, ({ name }) => name).map(({ name }) => name)).toEqual(['Ani', 'Dewi', 'Budi Santoso', 'Citra']);
  });
});

describe('what may be done to a message in a group', () => {
  const own = { ...notice('text', me, [], 'Halo'), mine: true, seq: 4 };
  it('shrinks where only admins write, and ends outside', () => {
    const place = { inside: true, mayWrite: true, several: true, moderates: false };
    expect(allowed(own, 0, true, place)).toMatchObject({
      react: true,
      reply: true,
      edit: true,
      delete: true,
      info: true,
    });
    const listening = allowed(own, 0, true, { ...place, mayWrite: false });
    expect(listening).toMatchObject({ react: true, reply: false, edit: false, delete: true, info: true });
    const out = allowed(own, 0, true, { inside: false, mayWrite: false, several: true, moderates: false });
    expect(out).toMatchObject({ react: false, reply: false, edit: false, delete: false, info: false, copy: true });
    expect(allowed(own, 0, true).info).toBe(false);
  });
});

describe('a refusal', () => {
  it('is a sentence in the language of the screens', async () => {
    vi.stubGlobal('document', { documentElement: { lang: 'id' } });
    const { explainGroup } = await import('./explain');
    const { i18n } = await import('../../i18n/index.svelte');
    await i18n.start();
    const w = catalogues[i18n.language];
    const of = (code: string, message = '', parameter?: string) =>
      explainGroup(new CoreError({ code, message, ...(parameter ? { parameter } : {}) }));
    expect(of('small_group')).toBe(w.error_small);
    expect(of('invalid', '', 'name')).toBe(w.error_name);
    expect(of('member_unreachable', '@budi has no device that can be added now; it has')).toBe(
      w.error_unreachable('@budi'),
    );
    expect(of('something_new', 'The sentence of the core.')).toBe('The sentence of the core.');
  });
});
