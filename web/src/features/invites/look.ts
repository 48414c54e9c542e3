// Looks where a link into a group leads, before there is an account: the server gives what it keeps sealed, and this page opens it.
import initWasm, { openInvitePreview } from '../../wasm/core';
import wasmUrl from '../../wasm/core_bg.wasm?url';
import { type Found, LinkError, partsOfLink } from './link';

let ready: Promise<unknown> | undefined;

function opener(): Promise<unknown> {
  ready ??= initWasm({ module_or_path: fetch(wasmUrl) });
  ready.catch(() => (ready = undefined));
  return ready;
}

/** Only the code goes to the server. Fails with a LinkError. */
export async function lookAt(code: string, secret: string): Promise<Found> {
  const link = partsOfLink(code, secret);
  const [answer] = await Promise.all([ask(code), opener()]).catch((error) => {
    throw error instanceof LinkError ? error : new LinkError('offline');
  });
  const opened = openInvitePreview(link.path, answer.sealed);
  if (opened === undefined) throw new LinkError('damaged');
  const { name, description, inviter } = JSON.parse(opened);
  return { name, description, inviter, members: answer.members, approval: answer.approval };
}

async function ask(code: string): Promise<{ sealed: Uint8Array; members: number; approval: boolean }> {
  const response = await fetch(`/v1/invite/${code}`, { cache: 'no-store', credentials: 'omit' });
  if (response.status === 404) throw new LinkError('gone');
  if (response.status === 429) throw new LinkError('rate');
  if (!response.ok) throw new LinkError('other');
  const { preview, members, approval } = await response.json();
  return { sealed: Uint8Array.from(atob(preview), (char) => char.charCodeAt(0)), members, approval };
}
