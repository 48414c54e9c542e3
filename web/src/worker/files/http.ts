// One request to the server's own address. A line that breaks is not an error here: it is tried again.
import type { FileBody } from '../../core/contract';

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export function addressOf(file: FileBody): string {
  return `/v1/media/${file.location}`;
}

/** Statuses that say "later", from the server or from what stands before it. */
const LATER = new Set([408, 425, 429, 500, 502, 503, 504]);

export type Asked = { answer: Response } | { broken: string };

/** `signal` ends it for good; `patience` is a limit of this request alone. */
export async function ask(
  fetch: Fetch,
  url: string,
  init: RequestInit,
  signal: AbortSignal,
  patience: AbortSignal,
): Promise<Asked> {
  signal.throwIfAborted();
  try {
    const answer = await fetch(url, {
      ...init,
      signal: AbortSignal.any([signal, patience]),
      cache: 'no-store',
      // The address is all the authority there is.
      credentials: 'omit',
      redirect: 'error',
    });
    return LATER.has(answer.status) ? { broken: `the server answered ${answer.status}` } : { answer };
  } catch (error) {
    signal.throwIfAborted();
    return { broken: String(error) };
  }
}
