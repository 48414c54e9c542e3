// The core's ordered map, in IndexedDB: binary keys, sealed values. Writes are atomic and durable or not done at all.
// Operations run one after the other, in the order in which they were asked for.
import { scanRange } from './range';
import { type Bytes, makeSealKey, seal, unseal } from './seal';

const DATABASE = 'kabar';
const ROWS = 'rows';
const KEYS = 'keys';
/** Small texts of the screens' own, such as how a link called somebody: not the core's, but sealed like everything else. */
const NOTES = 'notes';
const SEAL_KEY = 'seal';
const NOTES_MAX = 1000;

export interface Write {
  key: Bytes;
  /** null deletes. */
  value: Bytes | null;
}

export type Row = [key: Bytes, value: Bytes];

/** The store cannot be used; `reason` is a word that the Trouble screen knows. */
export class StoreError extends Error {
  readonly reason: string;

  constructor(reason: string, cause: unknown) {
    super(cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause));
    this.reason = reason;
  }
}

export class Store {
  readonly #database: IDBDatabase;
  readonly #sealKey: CryptoKey;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(database: IDBDatabase, sealKey: CryptoKey) {
    this.#database = database;
    this.#sealKey = sealKey;
  }

  /** `lost` is called when the browser takes the database away while it is open, such as when site data are cleared. */
  static async open(lost: (error: StoreError) => void): Promise<Store> {
    const database = await openDatabase();
    database.onclose = () => lost(new StoreError('store_closed', 'The browser closed the database.'));
    return new Store(database, await sealKeyOf(database));
  }

  write(writes: Write[]): Promise<void> {
    return this.#inOrder(async () => {
      try {
        // Sealing first: a transaction commits by itself as soon as it waits for anything but its own requests.
        const sealed = await Promise.all(
          writes.map(async ({ key, value }) => ({ key, value: value && (await seal(this.#sealKey, key, value)) })),
        );
        const transaction = this.#database.transaction(ROWS, 'readwrite', { durability: 'strict' });
        const rows = transaction.objectStore(ROWS);
        for (const { key, value } of sealed) {
          if (value) rows.put(value, key);
          else rows.delete(key);
        }
        await finished(transaction);
      } catch (error) {
        throw new StoreError('store_write', error);
      }
    });
  }

  scan(prefix: Bytes, from: Bytes, limit: number, reverse: boolean): Promise<Row[]> {
    return this.#inOrder(async () => {
      const range = scanRange(prefix, from, reverse);
      if (!range || limit === 0) return [];
      const bounds = range.upper
        ? IDBKeyRange.bound(range.lower, range.upper, false, true)
        : IDBKeyRange.lowerBound(range.lower);
      let sealed: Row[];
      try {
        const rows = this.#database.transaction(ROWS, 'readonly').objectStore(ROWS);
        sealed = await (reverse ? readDown(rows, bounds, limit) : readUp(rows, bounds, limit));
      } catch (error) {
        throw new StoreError('store_read', error);
      }
      try {
        return await Promise.all(
          sealed.map(async ([key, value]): Promise<Row> => [key, await unseal(this.#sealKey, key, value)]),
        );
      } catch (error) {
        throw new StoreError('store_unreadable', error);
      }
    });
  }

  keepNote(name: string, text: string): Promise<void> {
    return this.#inOrder(async () => {
      const key = new TextEncoder().encode(name);
      const sealed = text && (await seal(this.#sealKey, key, new TextEncoder().encode(text)));
      const transaction = this.#database.transaction(NOTES, 'readwrite');
      const notes = transaction.objectStore(NOTES);
      if (sealed) notes.put(sealed, key);
      else notes.delete(key);
      await finished(transaction);
    });
  }

  notes(): Promise<Record<string, string>> {
    return this.#inOrder(async () => {
      const kept = this.#database.transaction(NOTES, 'readonly').objectStore(NOTES);
      const sealed = await readUp(kept, IDBKeyRange.lowerBound(new Uint8Array()), NOTES_MAX);
      const opened = sealed.map(async ([key, value]) => [
        new TextDecoder().decode(key),
        new TextDecoder().decode(await unseal(this.#sealKey, key, value)),
      ]);
      return Object.fromEntries(await Promise.all(opened));
    });
  }

  /** Waits for what is under way, then closes. */
  async close(): Promise<void> {
    await this.#last;
    this.#database.close();
  }

  #inOrder<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#last.then(operation);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

async function openDatabase(): Promise<IDBDatabase> {
  try {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(ROWS);
      request.result.createObjectStore(KEYS);
      request.result.createObjectStore(NOTES);
    };
    return await answer(request);
  } catch (error) {
    throw new StoreError('store_open', error);
  }
}

async function sealKeyOf(database: IDBDatabase): Promise<CryptoKey> {
  const transaction = database.transaction([KEYS, ROWS], 'readonly');
  const [key, rows] = await Promise.all([
    answer(transaction.objectStore(KEYS).get(SEAL_KEY)) as Promise<CryptoKey | undefined>,
    answer(transaction.objectStore(ROWS).count()),
  ]);
  if (key) return key;
  if (rows > 0) throw new StoreError('store_unreadable', 'The key of the stored values is gone.');
  const made = await makeSealKey();
  const keeping = database.transaction(KEYS, 'readwrite', { durability: 'strict' });
  keeping.objectStore(KEYS).put(made, SEAL_KEY);
  await finished(keeping);
  return made;
}

async function readUp(rows: IDBObjectStore, bounds: IDBKeyRange, limit: number): Promise<Row[]> {
  const [keys, values] = await Promise.all([
    answer(rows.getAllKeys(bounds, limit)) as Promise<ArrayBuffer[]>,
    answer(rows.getAll(bounds, limit)) as Promise<Bytes[]>,
  ]);
  return keys.map((key, i) => [new Uint8Array(key), values[i] as Bytes]);
}

function readDown(rows: IDBObjectStore, bounds: IDBKeyRange, limit: number): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    const found: Row[] = [];
    const request = rows.openCursor(bounds, 'prev');
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      if (!cursor) return resolve(found);
      found.push([new Uint8Array(cursor.key as ArrayBuffer), cursor.value]);
      if (found.length === limit) resolve(found);
      else cursor.continue();
    };
  });
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () =>
      reject(transaction.error ?? new DOMException('The transaction was aborted.', 'AbortError'));
  });
}
