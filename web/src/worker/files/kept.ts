// Small files as the server gave them, kept on this device: a picture is there tomorrow too, when the server has it no more. It is
// ciphertext whose key lies sealed in the store.
import type { Fetch } from './http';

/** Not "kabar-...": those the service worker clears when a new release comes. */
const CACHE = 'sealed-files';
/** What is larger is fetched again. */
export const KEPT_BYTES_MAX = 8_000_000;
/** The oldest go first. */
const KEPT_MAX = 200;

/** Answers from what is kept, and keeps what came in one piece. */
export function keeping(fetch: Fetch, storage: CacheStorage): Fetch {
  return async (url, init) => {
    if (new Headers(init.headers).get('Range') !== 'bytes=0-') return fetch(url, init);
    const cache = await storage.open(CACHE).catch(() => undefined);
    const kept = await cache?.match(url).catch(() => undefined);
    if (kept) return kept;
    const answer = await fetch(url, init);
    // Keeping is a convenience: where there is no room, nothing is kept.
    if (cache && answer.ok) keep(cache, url, answer.clone()).catch(() => undefined);
    return answer;
  };
}

/** It did not open: the next try asks the server. */
export async function forget(url: string, storage: CacheStorage): Promise<void> {
  await (await storage.open(CACHE)).delete(url);
}

async function keep(cache: Cache, url: string, answer: Response): Promise<void> {
  // A part of a file (206) cannot be kept as such; it has come whole when this has been read.
  await cache.put(url, new Response(await answer.arrayBuffer()));
  const kept = await cache.keys();
  for (const old of kept.slice(0, Math.max(0, kept.length - KEPT_MAX))) await cache.delete(old);
}
