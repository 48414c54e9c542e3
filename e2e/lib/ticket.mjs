// Tickets as a seller's gateway issues them (crates/protocol/src/ticket.rs), for a gate that has never seen them.
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A key from 32 equal bytes, and its public half as sellers hand it out. */
export function issuerOf(byte) {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, Buffer.alloc(32, byte)]), format: 'der', type: 'pkcs8' });
  const hex = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
  return { key, hex };
}

export function issueTicket({ key }, { ticket_id, issuer, title, place }) {
  const fields = [
    [1, ticket_id],
    [2, issuer],
    [4, title],
    [5, place],
  ];
  const body = Buffer.concat(fields.map(([number, text]) => field(number, text)));
  const signature = sign(null, Buffer.concat([Buffer.from('kabar/v1/ticket'), body]), key);
  return `KABAR1.${Buffer.concat([body, signature]).toString('base64url')}`;
}

/** A protobuf field of text shorter than 128 bytes. */
function field(number, text) {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}
