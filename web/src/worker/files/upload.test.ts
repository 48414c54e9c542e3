import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JobError } from './retry';
import { Upload } from './upload';

const CHUNK = 8;
const room = { upload: 'write', location: 'read', key: '00', upload_until: 0, expires_at: 0 };

/** What a request does before the server answers as it should. */
type Fault = 'lost' | 'cut' | 'answer lost' | 'silent' | number;

/** Takes bytes as the server does; `faults` happen to its requests, one after the other. */
class FakeServer {
  bytes: number[] = [];
  requests: string[] = [];
  faults: Fault[] = [];

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    this.requests.push(`${init.method} ${url}`);
    const fault = this.faults.shift();
    if (typeof fault === 'number') return new Response(null, { status: fault });
    if (fault === 'lost') throw new TypeError('network error');
    if (init.method === 'HEAD') return this.#answer(200);
    const body = init.body as Uint8Array;
    const offset = Number(new Headers(init.headers).get('upload-offset'));
    if (offset !== this.bytes.length) return this.#answer(409);
    this.bytes.push(...(fault === 'cut' ? body.subarray(0, body.length / 2) : body));
    if (fault === 'cut' || fault === 'answer lost') throw new TypeError('network error');
    return this.#answer(204);
  };

  #answer(status: number): Response {
    return new Response(null, { status, headers: { 'Upload-Offset': String(this.bytes.length) } });
  }
}

/** Marks each chunk with its number: sealing one twice would show. */
function fakeSealer(size: number) {
  let next = 0;
  const chunks = Math.ceil(size / CHUNK);
  return {
    wants: () => (next < chunks ? Math.min(CHUNK, size - next * CHUNK) : undefined),
    seal(bytes: Uint8Array) {
      next += 1;
      return new Uint8Array([...bytes, next]);
    },
    finish: () => ({ sha256: new Uint8Array([1]), ciphertext_sha256: new Uint8Array([2]) }),
    free: vi.fn(),
  };
}

function sealed(file: Uint8Array): number[] {
  const sealer = fakeSealer(file.length);
  const all: number[] = [];
  for (let at = 0; at < file.length; at += CHUNK) all.push(...sealer.seal(file.subarray(at, at + CHUNK)));
  return all;
}

function uploadOf(server: FakeServer, file: Blob) {
  return new Upload(file, {
    fetch: server.fetch,
    room: () => Promise.resolve(room),
    sealer: (_room, size) => fakeSealer(size),
  });
}

const bytes = new Uint8Array(500).map((_, i) => i % 251);
const file = new Blob([bytes]);
const never = new AbortController().signal;

async function settle<T>(running: Promise<T>): Promise<T | JobError> {
  const settled = running.catch((error: unknown) => error as JobError);
  await vi.runAllTimersAsync();
  return settled;
}

describe('an upload', () => {
  let server: FakeServer;
  beforeEach(() => {
    server = new FakeServer();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => void vi.useRealTimers());

  it('gives the server every chunk once, in order, and says what a message needs', async () => {
    const progress: number[] = [];
    const uploaded = await settle(uploadOf(server, file).run(never, (done) => progress.push(done)));
    expect(server.bytes).toEqual(sealed(bytes));
    expect(uploaded).toEqual({ key: '00', location: 'read', size_bytes: 500, sha256: '01', ciphertext_sha256: '02' });
    expect(progress.at(-1)).toBe(500);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
  });

  it.each<[string, Fault[]]>([
    ['was cut in the middle', ['cut']],
    ['arrived, but whose answer was lost', ['answer lost']],
    ['never arrived', ['lost', 'lost', 'lost']],
    ['met a server with too much to do', [503, 502]],
    ['was cut, and the question how much arrived was lost too', ['cut', 'lost', 503]],
  ])('goes on after a request that %s', async (_what, faults) => {
    server.faults = faults;
    await settle(uploadOf(server, file).run(never, () => {}));
    expect(server.bytes).toEqual(sealed(bytes));
  });

  it('asks how much arrived before it sends again', async () => {
    server.faults = ['cut'];
    await settle(uploadOf(server, file).run(never, () => {}));
    expect(server.requests.slice(0, 3)).toEqual([
      'PATCH /v1/media/upload/write',
      'HEAD /v1/media/upload/write',
      'PATCH /v1/media/upload/write',
    ]);
  });

  it('takes the offset of a 409', async () => {
    // Somebody else's request, such as one thought dead, brings the first bytes before this one does.
    let first = true;
    const upload = new Upload(file, {
      room: () => Promise.resolve(room),
      sealer: (_room, size) => fakeSealer(size),
      fetch: (url, init) => {
        if (first) server.bytes.push(...sealed(bytes).slice(0, 5));
        first = false;
        return server.fetch(url, init);
      },
    });
    await settle(upload.run(never, () => {}));
    expect(server.bytes).toEqual(sealed(bytes));
  });

  it('gives up after six tries without progress, and then goes on by hand without sealing anything again', async () => {
    const upload = uploadOf(server, file);
    server.faults = ['cut', ...Array<Fault>(10).fill('lost')];
    const failed = await settle(upload.run(never, () => {}));
    expect(failed).toMatchObject({ code: 'unreachable', resumable: true });
    expect(server.requests).toHaveLength(6);
    server.faults = [];
    await settle(upload.run(never, () => {}));
    expect(server.bytes).toEqual(sealed(bytes));
  });

  it.each([
    [404, 'upload_gone', false],
    [507, 'disk_full', true],
    [413, 'upload_refused', false],
  ])('ends at %i with %s', async (status, code, resumable) => {
    server.faults = [status];
    expect(await settle(uploadOf(server, file).run(never, () => {}))).toMatchObject({ code, resumable });
  });

  it('ends when the server has lost what is no longer in memory', async () => {
    const upload = uploadOf(server, file);
    const progress = () => {
      server.bytes = [];
    };
    expect(await settle(upload.run(never, progress))).toMatchObject({ code: 'upload_refused' });
  });

  it('notices a file that became shorter', async () => {
    const shrunk = { size: 500, slice: () => ({ arrayBuffer: () => Promise.reject(new Error('NotReadableError')) }) };
    const upload = uploadOf(server, shrunk as unknown as Blob);
    expect(await settle(upload.run(never, () => {}))).toMatchObject({ code: 'file_changed', resumable: false });
  });

  it('stops at once when nobody wants it any more, and gives the room back', async () => {
    const controller = new AbortController();
    const upload = uploadOf(server, file);
    const ended = await settle(upload.run(controller.signal, () => controller.abort()));
    upload.drop();
    expect(ended).toMatchObject({ name: 'AbortError' });
    expect(server.requests).toEqual(['PATCH /v1/media/upload/write', 'DELETE /v1/media/upload/write']);
  });
});
