// Checks a ticket with the code that the core has for it, in this page: the gate needs no account, so no worker runs the core.
import initWasm, { verifyTicket } from '../../wasm/core';
import wasmUrl from '../../wasm/core_bg.wasm?url';

export interface Verified {
  ticket_id: string;
  issuer: string;
  title: string;
  place: string;
  starts_at: number;
}

let ready: Promise<unknown> | undefined;

/** null: not signed by whoever holds the key. */
export async function verify(token: string, key: string): Promise<Verified | null> {
  ready ??= initWasm({ module_or_path: fetch(wasmUrl) });
  try {
    await ready;
  } catch (error) {
    ready = undefined;
    throw error;
  }
  const json = verifyTicket(token, key);
  return json === undefined ? null : JSON.parse(json);
}
