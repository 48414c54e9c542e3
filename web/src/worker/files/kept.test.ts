import { describe, expect, it, vi } from 'vitest';
import { forget, keeping } from './kept';

const whole = { headers: { Range: 'bytes=0-' } };

function storageOf(): CacheStorage {
  const kept = new Map<string, Response>();
  const cache = {
    match: async (url: string) => kept.get(url)?.clone(),
    put: async (url: string, response: Response) => void kept.set(url, response),
    keys: async () => [...kept.keys()],
    delete: async (url: string) => kept.delete(url),
  };
  return { open: async () => cache } as unknown as CacheStorage;
}

const text = async (answer: Promise<Response>) => (await answer).text();
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('what is kept on this device', () => {
  it('answers when the server is asked again', async () => {
    const server = vi.fn(async () => new Response('sealed', { status: 206 }));
    const fetch = keeping(server, storageOf());
    expect(await text(fetch('/a', whole))).toBe('sealed');
    await settled();
    expect(await text(fetch('/a', whole))).toBe('sealed');
    expect(server).toHaveBeenCalledOnce();
  });

  it('is nothing that the server refused, and no part of a file', async () => {
    const server = vi.fn(async () => new Response('', { status: 404 }));
    const fetch = keeping(server, storageOf());
    await fetch('/a', whole);
    await fetch('/b', { headers: { Range: 'bytes=50-' } });
    await settled();
    await fetch('/a', whole);
    await fetch('/b', { headers: { Range: 'bytes=50-' } });
    expect(server).toHaveBeenCalledTimes(4);
  });

  it('is nothing that broke off', async () => {
    const broken = () => new ReadableStream({ start: (controller) => controller.error(new TypeError('network')) });
    const server = vi.fn(async () => new Response(broken(), { status: 206 }));
    const fetch = keeping(server, storageOf());
    await fetch('/a', whole);
    await settled();
    await fetch('/a', whole);
    expect(server).toHaveBeenCalledTimes(2);
  });

  it('is bounded, and forgotten when it does not open', async () => {
    const server = vi.fn(async () => new Response('sealed'));
    const storage = storageOf();
    const fetch = keeping(server, storage);
    for (let i = 0; i <= 200; i += 1) await fetch(`/${i}`, whole);
    await settled();
    await fetch('/0', whole);
    expect(server).toHaveBeenCalledTimes(202);
    await forget('/200', storage);
    await fetch('/200', whole);
    expect(server).toHaveBeenCalledTimes(203);
  });

  it('is nothing where the browser keeps nothing', async () => {
    const server = vi.fn(async () => new Response('sealed'));
    const none = { open: () => Promise.reject(new Error('denied')) } as unknown as CacheStorage;
    expect(await text(keeping(server, none)('/a', whole))).toBe('sealed');
  });
});
