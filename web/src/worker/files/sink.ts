// Where an opened file goes: small ones into memory, others into a file of the browser's own, which is deleted again.
import { JobError } from './retry';

export interface Sink {
  write(bytes: Uint8Array<ArrayBuffer>): void;
  /** The whole file. */
  close(): Promise<Blob>;
  discard(): void;
}

/** Not worth a file: what a thread shows. */
const MEMORY_BYTES = 8_000_000;
/** The most that is held in memory where the browser gives no files. */
const MEMORY_BYTES_MAX = 32_000_000;
const FOLDER = 'files';
/** Long enough for the browser to have copied it to where the person wants it, and for a film to be seen to its end. */
const KEPT_MS = 4 * 3_600_000;

/** Of worker scopes only, and so not among the types of a page. */
interface SyncAccess {
  write(bytes: Uint8Array, options: { at: number }): number;
  flush(): void;
  close(): void;
}
type Writable = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncAccess> };

export async function sinkFor(sizeBytes: number): Promise<Sink> {
  if (sizeBytes <= MEMORY_BYTES) return new Memory();
  try {
    return await Disk.open();
  } catch (error) {
    if (sizeBytes <= MEMORY_BYTES_MAX) return new Memory();
    throw new JobError('file_too_large_here', String(error));
  }
}

/** Deletes what an earlier run left. */
export async function sweep(): Promise<void> {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(FOLDER, { recursive: true });
}

class Memory implements Sink {
  #parts: Uint8Array<ArrayBuffer>[] = [];

  write(bytes: Uint8Array<ArrayBuffer>): void {
    this.#parts.push(bytes);
  }

  close(): Promise<Blob> {
    return Promise.resolve(new Blob(this.#parts));
  }

  discard(): void {
    this.#parts = [];
  }
}

class Disk implements Sink {
  readonly #folder: FileSystemDirectoryHandle;
  readonly #handle: FileSystemFileHandle;
  readonly #access: SyncAccess;
  #at = 0;
  #open = true;

  private constructor(folder: FileSystemDirectoryHandle, handle: FileSystemFileHandle, access: SyncAccess) {
    this.#folder = folder;
    this.#handle = handle;
    this.#access = access;
  }

  static async open(): Promise<Disk> {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(FOLDER, { create: true });
    const handle = await folder.getFileHandle(crypto.randomUUID(), { create: true });
    return new Disk(folder, handle, await (handle as Writable).createSyncAccessHandle());
  }

  write(bytes: Uint8Array<ArrayBuffer>): void {
    try {
      this.#access.write(bytes, { at: this.#at });
      this.#at += bytes.length;
    } catch (error) {
      throw new JobError('device_full', String(error));
    }
  }

  async close(): Promise<Blob> {
    this.#access.flush();
    this.#access.close();
    this.#open = false;
    setTimeout(() => this.discard(), KEPT_MS);
    return this.#handle.getFile();
  }

  discard(): void {
    if (this.#open) this.#access.close();
    this.#open = false;
    // What cannot be deleted now goes at the next start.
    this.#folder.removeEntry(this.#handle.name).catch(() => undefined);
  }
}
