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
  /** What others may see. */
  | { name: 'privacy' }
  /** The chats that were put away. */
  | { name: 'archived' }
  /** What strangers have written. */
  | { name: 'requests' }
  /** Messages that were given a star. */
  | { name: 'starred' }
  /** A ticket, by the message that brought it. */
  | { name: 'ticket'; id: string }
  /** Where sellers check tickets; open to whoever has no account. */
  | { name: 'gate' }
  /** Somebody's link: opens a chat with a username, number or account id. */
  | { name: 'user'; who: string; called: string }
  /** An invitation to this server. */
  | { name: 'join'; code: string }
  /** A link into a group: the one screen whose address has a path. `secret` is as it stands in the link. */
  | { name: 'invite'; code: string; secret: string }
  | { name: 'unknown' };

const ID = /^[0-9a-f]{32}$/;
const MESSAGE_ID = /^[0-9a-f]{64}$/;
const PLAIN = [
  'new',
  'scan',
  'code',
  'group',
  'settings',
  'privacy',
  'archived',
  'requests',
  'starred',
  'gate',
] as const;

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

/** Of a whole address. What stands behind the # is sent nowhere. */
export function parseAddress({ pathname, hash }: Pick<URL, 'pathname' | 'hash'>): Route {
  const code = /^\/i\/([^/]*)$/.exec(pathname)?.[1];
  return code === undefined || hash.startsWith('#/')
    ? parseRoute(hash)
    : { name: 'invite', code, secret: hash.slice(1) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
