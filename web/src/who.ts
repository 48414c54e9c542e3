// Links of people and into groups, as they are given to others and come back: typed, pasted or scanned.
import { parseAddress } from './route';

/** The link that lets others write to this account. The name is for the eyes of whoever opens it; the server never sees it. */
export function userLink(origin: string, who: string, name: string): string {
  return `${publicOrigin(origin)}/#/u/${encodeURIComponent(who)}/${encodeURIComponent(name)}`;
}

/** http://dua.localhost is how one computer plays a second person: the same server as http://localhost. */
export function publicOrigin(origin: string): string {
  return origin.replace(/^(https?:\/\/).+\.localhost(?=:|$)/, '$1localhost');
}

/** `invite`: a link into a group, from its path on. */
export type Who = { who: string; called: string } | { invite: string } | { otherServer: string } | 'invalid';

/** What a person typed, pasted or scanned to find somebody: a link of this server, or a name, number or id. */
export function parseWho(text: string, origin: string): Who {
  const trimmed = text.trim();
  if (!/^https?:\/\//i.test(trimmed))
    return trimmed && !/\s.*[a-z]/i.test(trimmed) ? { who: trimmed, called: '' } : 'invalid';
  if (!URL.canParse(trimmed)) return 'invalid';
  const url = new URL(trimmed);
  const route = parseAddress(url);
  if (route.name !== 'user' && route.name !== 'invite') return 'invalid';
  if (publicOrigin(url.origin) !== publicOrigin(origin)) return { otherServer: url.host };
  return route.name === 'user' ? { who: route.who, called: route.called } : { invite: url.pathname + url.hash };
}
