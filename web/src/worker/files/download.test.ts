import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FileBody } from '../../core/contract';
import { Download } from './download';
import type { JobError } from './retry';

const CHUNK = 8;
const bytes = new Uint8Array(300).map((_, i) => i % 251);
const file = { location: 'read', size_bytes: 300 } as FileBody;
const never = new AbortController().signal;

/** Gives what is asked for, in odd pieces; `cuts` say after how many bytes a request breaks off. */
class FakeServer {
  cuts: number[] = [];
  statuses: number[] = [];
  ranges: string[] = [];

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    expect(url).toBe('/v1/media/read');
    const range = new Headers(init.headers).get('range') ?? '';
    this.ranges.push(range);
    const status = this.statuses.shift() ?? 206;
    if (status >= 400) return new Response(null, { status });
    const from = Number(/^bytes=(\d+)-$/.exec(range)?.[1]);
    const cut = this.cuts.shift();
    let at = from;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const end = Math.min(at + 7, cut === undefined ? bytes.length : from + cut);
        if (at >= bytes.length) controller.close();
        else if (end <= at) controller.error(new TypeError('network error'));
        else controller.enqueue(bytes.slice(at, end));
        at = end;
      },
    });
    return new Response(body, { status });
  };
}

/** Opens by doing nothing, in chunks that have to be whole. */
function fakeOpener(good = true) {
  let opened = 0;
  return {
    wants: () => (opened < bytes.length ? Math.min(CHUNK, bytes.length - opened) : undefined),
    open(sealed: Uint8Array) {
      expect(sealed.length).toBe(Math.min(CHUNK, bytes.length - opened));
      opened += sealed.length;
      return new Uint8Array(sealed);
    },
    finish() {
      if (!good) throw new Error('damaged');
    },
    free: vi.fn(),
  };
}

function downloadOf(server: FakeServer, good = true) {
  const written: number[] = [];
  const sink = {
    write: (piece: Uint8Array) => void written.push(...piece),
    close: vi.fn(() => Promise.resolve(new Blob([new Uint8Array(written)]))),
    discard: vi.fn(),
  };
  const download = new Download(file, {
    fetch: server.fetch,
    opener: () => fakeOpener(good),
    sink: () => Promise.resolve(sink),
  });
  return { download, sink, written };
}

async function settle<T>(running: Promise<T>): Promise<T | JobError> {
  const settled = running.catch((error: unknown) => error as JobError);
  await vi.runAllTimersAsync();
  return settled;
}

describe('a download', () => {
  let server: FakeServer;
  beforeEach(() => {
    server = new FakeServer();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => void vi.useRealTimers());

  it('opens what comes, chunk by chunk', async () => {
    const { download, written } = downloadOf(server);
    const progress: number[] = [];
    const blob = await settle(download.run(never, (done) => progress.push(done)));
    expect(written).toEqual([...bytes]);
    expect(blob).toHaveProperty('size', 300);
    expect(progress.at(-1)).toBe(300);
  });

  it('goes on where the connection broke off, in the middle of a chunk too', async () => {
    const { download, written } = downloadOf(server);
    server.cuts = [50, 100];
    server.statuses = [206, 503];
    await settle(download.run(never, () => {}));
    expect(server.ranges).toEqual(['bytes=0-', 'bytes=50-', 'bytes=50-', 'bytes=150-']);
    expect(written).toEqual([...bytes]);
  });

  it('gives up after six tries without progress, and goes on by hand', async () => {
    const { download, written, sink } = downloadOf(server);
    server.cuts = [50];
    server.statuses = [206, 503, 503, 503, 503, 503, 503];
    expect(await settle(download.run(never, () => {}))).toMatchObject({ code: 'unreachable', resumable: true });
    server.statuses = [];
    await settle(download.run(never, () => {}));
    expect(written).toEqual([...bytes]);
    expect(sink.close).toHaveBeenCalledOnce();
  });

  it.each([
    [404, 'file_gone'],
    [403, 'file_refused'],
  ])('ends at %i with %s', async (status, code) => {
    server.statuses = [status];
    expect(await settle(downloadOf(server).download.run(never, () => {}))).toMatchObject({ code, resumable: false });
  });

  it('takes an answer without ranges only at the beginning', async () => {
    server.cuts = [50];
    server.statuses = [200, 200];
    expect(await settle(downloadOf(server).download.run(never, () => {}))).toMatchObject({ code: 'file_refused' });
  });

  it('hands nothing out that is not whole', async () => {
    const { download, sink } = downloadOf(server, false);
    expect(await settle(download.run(never, () => {}))).toMatchObject({ code: 'file_damaged', resumable: false });
    expect(sink.close).not.toHaveBeenCalled();
    download.drop();
    expect(sink.discard).toHaveBeenCalledOnce();
  });
});
