// The sealed envelope of the Cloud API around a flow's data: a fresh AES-128-GCM key under our RSA key; the answer goes back under
// the same AES key and the inverted initial vector. (The SDK's receiveFlowEvent opens another envelope, that of media, and takes
// what is in plain text; so it gets what came out of this one.)
import { constants, createCipheriv, createDecipheriv, generateKeyPairSync, privateDecrypt } from 'node:crypto';

const TAG_BYTES = 16;
const KEY_BITS = 2048;

/** {publicKey, privateKey} as PEM. */
export function newKey() {
  return generateKeyPairSync('rsa', {
    modulusLength: KEY_BITS,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

/** The question as text, and how to seal its answer. Throws on what is not sealed to us. */
export function open(body, privateKey) {
  const { encrypted_flow_data, encrypted_aes_key, initial_vector } = JSON.parse(body);
  const bytes = (text) => Buffer.from(text, 'base64');
  const padding = { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  const key = privateDecrypt(padding, bytes(encrypted_aes_key));
  const iv = bytes(initial_vector);
  const sealed = bytes(encrypted_flow_data);
  const decipher = createDecipheriv('aes-128-gcm', key, iv);
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const text = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8');
  const seal = (answer) => {
    const cipher = createCipheriv('aes-128-gcm', key, Buffer.from(iv.map((byte) => byte ^ 0xff)));
    return Buffer.concat([cipher.update(answer, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64');
  };
  return { text, seal };
}
