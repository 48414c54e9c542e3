// Seals the values of the store with a key that script can use but never read. Each value is bound to its key, so that rows
// cannot be exchanged for one another. A sealed value is a 12-byte nonce followed by the AES-GCM ciphertext.

const NONCE_BYTES = 12;

/** Bytes that own their whole buffer, as WebCrypto and IndexedDB want them. */
export type Bytes = Uint8Array<ArrayBuffer>;

export function makeSealKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}

export async function seal(sealKey: CryptoKey, key: Bytes, value: Bytes): Promise<Bytes> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const ciphertext = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce, additionalData: key }, sealKey, value);
  const sealed = new Uint8Array(NONCE_BYTES + ciphertext.byteLength);
  sealed.set(nonce);
  sealed.set(new Uint8Array(ciphertext), NONCE_BYTES);
  return sealed;
}

/** Throws when the value was altered, or belongs to another key. */
export async function unseal(sealKey: CryptoKey, key: Bytes, sealed: Bytes): Promise<Bytes> {
  const iv = sealed.subarray(0, NONCE_BYTES);
  const plain = await crypto.subtle.decrypt(
    { name: 'AES-GCM', iv, additionalData: key },
    sealKey,
    sealed.subarray(NONCE_BYTES),
  );
  return new Uint8Array(plain);
}
