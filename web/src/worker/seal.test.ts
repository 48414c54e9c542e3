import { describe, expect, it } from 'vitest';
import { makeSealKey, seal, unseal } from './seal';

const text = (words: string) => new TextEncoder().encode(words);

describe('sealed values', () => {
  it('come back as they went in, and differ each time', async () => {
    const sealKey = await makeSealKey();
    const one = await seal(sealKey, text('row'), text('halo'));
    const two = await seal(sealKey, text('row'), text('halo'));
    expect(one).not.toEqual(two);
    expect(await unseal(sealKey, text('row'), one)).toEqual(text('halo'));
  });
  it('do not open under another key of the store', async () => {
    const sealKey = await makeSealKey();
    const sealed = await seal(sealKey, text('row'), text('halo'));
    await expect(unseal(sealKey, text('other row'), sealed)).rejects.toThrow();
  });
  it('do not open after a change', async () => {
    const sealKey = await makeSealKey();
    const sealed = await seal(sealKey, text('row'), text('halo'));
    sealed[20] = (sealed[20] ?? 0) ^ 1;
    await expect(unseal(sealKey, text('row'), sealed)).rejects.toThrow();
  });
  it('are sealed with a key that cannot be taken out', async () => {
    await expect(crypto.subtle.exportKey('raw', await makeSealKey())).rejects.toThrow();
  });
});
