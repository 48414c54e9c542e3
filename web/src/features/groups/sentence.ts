// What a notice in a group says, as a sentence with the names in it. Pure.
//
// Names are whatever people call themselves. In a sentence each stands between two characters of Unicode that isolate it, so that
// its direction does not turn the words around it; what shows a sentence makes an element of each (Sentence.svelte).
import type { Message, Person } from '../../core/contract';
import type { Words } from './words';

const BEGIN = '\u2068';
const END = '\u2069';
/** Between names. */
const AND = { id: ' dan ', en: ' and ' };
/** More people than this are counted. */
const NAMED_MAX = 8;

export interface Part {
  text: string;
  name: boolean;
}

export function isolated(name: string): string {
  // Nobody ends the isolation from within, and nothing unseen turns the line.
  return BEGIN + name.replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '') + END;
}

export function partsOf(sentence: string): Part[] {
  const parts = sentence.split(/(\u2068[^\u2069]*\u2069)/u).filter(Boolean);
  return parts.map((text) =>
    text.startsWith(BEGIN) ? { text: text.slice(1, -1), name: true } : { text, name: false },
  );
}

/** For labels: the same without the isolation. */
export function plain(sentence: string): string {
  return sentence.replace(/[\u2068\u2069]/gu, '');
}

export interface Teller {
  w: Words;
  language: 'id' | 'en';
  /** The account of this device. */
  me: string | undefined;
  nameOf: (person: Person) => string;
}

/** Undefined for what is no notice of a group. */
export function sentenceOf(notice: Message, teller: Teller): string | undefined {
  const { w, me, nameOf } = teller;
  const { from, about = [], text = '' } = notice;
  const who = isolated(nameOf(from));
  const mine = from.account_id === me;
  const itself = about.length === 1 && about[0]?.account_id === from.account_id;
  const whom = namesOf(about, teller);
  switch (notice.kind) {
    case 'notice_group_created':
      return mine ? w.created_me : w.created(who);
    case 'notice_added':
      if (itself) return mine ? w.came_me : w.came(who);
      return mine ? w.added_me(whom) : w.added(who, whom);
    case 'notice_removed':
      if (itself) return mine ? w.gone_me : w.gone(who);
      return mine ? w.removed_me(whom) : w.removed(who, whom);
    case 'notice_left':
      return mine ? w.left_me : w.left(who);
    case 'notice_role': {
      const role = roleWord(text, w);
      if (itself) return mine ? w.became_me(role) : w.became(who, role);
      return mine ? w.made_me(whom, role) : w.made(who, whom, role);
    }
    case 'notice_group_name':
      return mine ? w.named_me(isolated(text)) : w.named(who, isolated(text));
    case 'notice_group_description':
      if (!text) return mine ? w.undescribed_me : w.undescribed(who);
      return mine ? w.described_me : w.described(who);
    case 'notice_group_photo':
      return mine ? w.pictured_me : w.pictured(who);
    case 'notice_group_settings': {
      const what = settingsWords(text, w);
      return mine ? w.settled_me(what) : w.settled(who, what);
    }
    case 'notice_history':
      return mine ? w.showed_me(Number(text)) : w.showed(who, Number(text));
    case 'notice_pinned':
      return mine ? w.pinned_me : w.pinned(who);
    case 'notice_unpinned':
      return mine ? w.unpinned_me : w.unpinned(who);
    case 'notice_safety_changed':
      return w.other_devices(who);
    default:
      return undefined;
  }
}

function namesOf(people: readonly Person[], { w, language, me, nameOf }: Teller): string {
  const others = people.filter(({ account_id }) => account_id !== me);
  const names = others.slice(0, NAMED_MAX).map((person) => isolated(nameOf(person)));
  if (others.length < people.length) names.unshift(w.you_too);
  if (others.length > NAMED_MAX) names.push(w.members(others.length - NAMED_MAX));
  const last = names.pop() ?? '';
  return names.length > 0 ? names.join(', ') + AND[language] + last : last;
}

function roleWord(role: string, w: Words): string {
  if (role === 'owner') return w.role_owner;
  return role === 'admin' ? w.role_admin : w.role_member;
}

/** "post: admins, add: all", as the core writes it. */
function settingsWords(text: string, w: Words): string {
  const said = text.split(', ').flatMap((setting) => {
    const words: Record<string, string> = {
      'post: all': w.now_post_all,
      'post: admins': w.now_post_admins,
      'add: all': w.now_add_all,
      'add: admins': w.now_add_admins,
      'edit: all': w.now_edit_all,
      'edit: admins': w.now_edit_admins,
      'history: on': w.now_history_on,
      'history: off': w.now_history_off,
    };
    return words[setting] ?? [];
  });
  return said.join(', ');
}

/** The first word of a name is enough where many stand together. */
export function shortName(name: string): string {
  return name.trim().split(/\s+/u)[0] ?? name;
}
