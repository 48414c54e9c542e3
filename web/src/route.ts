// Addresses of screens. They live in the fragment: the server never learns which chat is open, and every address survives a reload.

export type Route =
  | { name: 'list' }
  | { name: 'chat'; id: string; details: boolean }
  | { name: 'new' }
  | { name: 'scan' }
  | { name: 'code' }
  /** A new group of people. */
  | { name: 'group' }
  | { name: 'settings' }
  /** The chats that were put away. */
  | { name: 'archived' }
  /** A ticket, by the message that brought it. */
  | { name: 'ticket'; id: string }
  /** Where sellers check tickets; open to whoever has no account. */
  | { name: 'gate' }
  /** Somebody's link: opens a chat with a username, number or account id. */
  | { name: 'user'; who: string; called: string }
  /** An invitation to this server. */
  | { name: 'join'; code: string }
  | { name: 'unknown' };

const ID = /^[0-9a-f]{32}$/;
const MESSAGE_ID = /^[0-9a-f]{64}$/;
const PLAIN = ['new', 'scan', 'code', 'group', 'settings', 'archived', 'gate'] as const;

export function parseRoute(hash: string): Route {
  const [first = '', second = '', third] = hash
    .replace(/^#?\/?/, '')
    .split('/')
    .map(decode);
  if (!second) {
    if (first === '') return { name: 'list' };
    return { name: PLAIN.find((name) => name === first) ?? 'unknown' };
  }
  if (first === 'c' && ID.test(second)) return { name: 'chat', id: second, details: third === 'details' };
  if (first === 'ticket' && MESSAGE_ID.test(second)) return { name: 'ticket', id: second };
  if (first === 'u') return { name: 'user', who: second, called: (third ?? '').slice(0, 50) };
  if (first === 'join') return { name: 'join', code: second };
  return { name: 'unknown' };
}

/** The link that lets others write to this account. The name is for the eyes of whoever opens it; the server never sees it. */
export function userLink(origin: string, who: string, name: string): string {
  return `${publicOrigin(origin)}/#/u/${encodeURIComponent(who)}/${encodeURIComponent(name)}`;
}

/** http://dua.localhost is how one computer plays a second person: the same server as http://localhost. */
function publicOrigin(origin: string): string {
  return origin.replace(/^(https?:\/\/).+\.localhost(?=:|$)/, '$1localhost');
}

export type Who = { who: string; called: string } | { otherServer: string } | 'invalid';

/** What a person typed, pasted or scanned to find somebody: a link of this server, or a name, number or id. */
export function parseWho(text: string, origin: string): Who {
  const trimmed = text.trim();
  if (!/^https?:\/\//i.test(trimmed))
    return trimmed && !/\s.*[a-z]/i.test(trimmed) ? { who: trimmed, called: '' } : 'invalid';
  if (!URL.canParse(trimmed)) return 'invalid';
  const url = new URL(trimmed);
  const route = parseRoute(url.hash);
  if (route.name !== 'user') return 'invalid';
  return publicOrigin(url.origin) === publicOrigin(origin)
    ? { who: route.who, called: route.called }
    : { otherServer: url.host };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
