// Cipher suite 0x004F for ts-mls, which does not have it: its suite 0x0001 with HPKE over X-Wing instead of X25519
// (draft-ietf-mls-pq-ciphersuites). X-Wing is @hpke/hybridkem-x-wing, in JavaScript throughout.
import { Aes128Gcm, CipherSuite, HkdfSha256 } from '@hpke/core';
import { XWing } from '@hpke/hybridkem-x-wing';
import { bytesToArrayBuffer as buffer, CryptoError } from 'ts-mls';

/** `x25519` with another id and another HPKE. */
export function withXWing(x25519, id) {
  const hpke = new CipherSuite({ kem: new XWing(), kdf: new HkdfSha256(), aead: new Aes128Gcm() });
  const { kem } = hpke;
  const bytes = (value) => new Uint8Array(value);
  const checked = (promise) =>
    promise.catch((error) => {
      throw new CryptoError(`${error}`);
    });
  return {
    ...x25519,
    id,
    hpke: {
      ...x25519.hpke, // the AEAD
      async seal(recipientPublicKey, plaintext, info, aad = bytes()) {
        const parameters = { recipientPublicKey, info: buffer(info) };
        const { ct, enc } = await hpke.seal(parameters, buffer(plaintext), buffer(aad));
        return { ct: bytes(ct), enc: bytes(enc) };
      },
      async open(recipientKey, enc, ciphertext, info, aad = bytes()) {
        const parameters = { recipientKey, enc: buffer(enc), info: buffer(info) };
        return bytes(await checked(hpke.open(parameters, buffer(ciphertext), buffer(aad))));
      },
      async importSecret(recipientKey, exporterContext, enc, length, info) {
        const parameters = { recipientKey, enc: buffer(enc), info: buffer(info) };
        const recipient = await checked(hpke.createRecipientContext(parameters));
        return bytes(await recipient.export(buffer(exporterContext), length));
      },
      async exportSecret(recipientPublicKey, exporterContext, length, info) {
        const sender = await hpke.createSenderContext({ recipientPublicKey, info: buffer(info) });
        return { enc: bytes(sender.enc), secret: bytes(await sender.export(buffer(exporterContext), length)) };
      },
      importPrivateKey: (key) => checked(kem.deserializePrivateKey(buffer(key))),
      importPublicKey: (key) => checked(kem.deserializePublicKey(buffer(key))),
      exportPrivateKey: async (key) => bytes(await kem.serializePrivateKey(key)),
      exportPublicKey: async (key) => bytes(await kem.serializePublicKey(key)),
      deriveKeyPair: (seed) => kem.deriveKeyPair(buffer(seed)),
      generateKeyPair: () => kem.generateKeyPair(),
    },
  };
}
