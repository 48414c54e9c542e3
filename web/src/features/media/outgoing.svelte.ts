// Files on their way out: one after the other, so that they arrive in the order in which they were chosen. They live as long as the
// page does; what is not whole when it goes was never sent.
import { toHex } from '../../core/bytes';
import type { FileBody } from '../../core/contract';
import { CoreError } from '../../core/link';
import type { Prepared, Uploaded } from '../../core/messages';
import { session } from '../session/session.svelte';
import { Progress } from './progress.svelte';
import { kindOf } from './shown';

/** Files just sent that need not be fetched to be shown. */
const REMEMBERED_MAX = 20;

/** A file and what is said with it. */
export interface Chosen {
  prepared: Prepared;
  caption: string;
  /** The same in all that were sent together. */
  album?: string;
  /** Whoever gets it may look once. */
  once?: boolean;
}

/** Puts the message about a file that has arrived into the queue. */
export type Tell = (file: FileBody) => Promise<void>;

export class Outgoing {
  readonly key: string;
  readonly conversationId: string;
  readonly chosen: Chosen;
  readonly progress: Progress;
  readonly tell: Tell;
  readonly time = Date.now();
  job: number;
  uploaded: Uploaded | undefined;
  state: 'waiting' | 'uploading' | 'failed' = $state('waiting');
  error: unknown = $state.raw();

  constructor(conversationId: string, chosen: Chosen, job: number, tell: Tell) {
    this.conversationId = conversationId;
    this.chosen = chosen;
    this.job = job;
    this.tell = tell;
    this.key = `outgoing-${job}`;
    this.progress = new Progress(chosen.prepared.body.size);
  }
}

class OutgoingFiles {
  #all: Outgoing[] = $state.raw([]);
  readonly #sent = new Map<string, Blob>();
  #busy = false;

  of(conversationId: string): Outgoing[] {
    return this.#all.filter((file) => file.conversationId === conversationId);
  }

  add(conversationId: string, chosen: Chosen[], tell: (file: FileBody, index: number) => Promise<void>): void {
    const added = chosen.map(
      (one, i) => new Outgoing(conversationId, one, session.link.newJob(), (file) => tell(file, i)),
    );
    this.#keep([...this.#all, ...added]);
    void this.next();
  }

  retry(file: Outgoing): void {
    file.state = 'waiting';
    file.error = undefined;
    session.link.hurry();
    void this.next();
  }

  drop(file: Outgoing): void {
    this.#keep(this.#all.filter((other) => other !== file));
    session.link.dropJob(file.job);
  }

  forget(location: string): void {
    this.#sent.delete(location);
  }

  /** A file that this page has sent, by where it lies. */
  sent(location: string): Blob | undefined {
    return this.#sent.get(location);
  }

  /** There is a connection again: what stopped for want of one goes on. */
  reconnected(): void {
    for (const file of this.#all) {
      if (file.state === 'failed' && file.error instanceof CoreError && file.error.code === 'unreachable') {
        file.state = 'waiting';
      }
    }
    void this.next();
  }

  /** Goes on with the first that waits, if there is a connection. */
  async next(): Promise<void> {
    const file = this.#all.find(({ state }) => state === 'waiting');
    if (this.#busy || !file || session.connection !== 'online') return;
    this.#busy = true;
    try {
      file.state = 'uploading';
      await this.#send(file);
      this.#keep(this.#all.filter((other) => other !== file));
    } catch (error) {
      file.error = error;
      file.state = 'failed';
    } finally {
      this.#busy = false;
    }
    void this.next();
  }

  async #send(file: Outgoing): Promise<void> {
    const { prepared, caption, album, once } = file.chosen;
    const { body, name, mime_type, width, height, preview, facts } = prepared;
    file.progress.begin();
    file.uploaded ??= await session.link.work(file.job, { type: 'upload', file: body }, (done) =>
      file.progress.take(done),
    );
    if (!once && kindOf({ mime_type }) !== 'document') this.#remember(file.uploaded.location, body);
    // What may be looked at once is not seen before.
    const small = preview && !once ? toHex(new Uint8Array(await preview.arrayBuffer())) : '';
    await file.tell({
      ...file.uploaded,
      name,
      mime_type,
      caption,
      width,
      height,
      preview: small,
      ...facts,
      ...(album && { album }),
      ...(once && { view_once: true }),
    });
  }

  #remember(location: string, body: Blob): void {
    this.#sent.set(location, body);
    const oldest = this.#sent.keys().next().value;
    if (this.#sent.size > REMEMBERED_MAX && oldest !== undefined) this.#sent.delete(oldest);
  }

  /** Who leaves while something is on its way is asked first. */
  #keep(files: Outgoing[]): void {
    this.#all = files;
    if (files.length > 0) window.addEventListener('beforeunload', ask);
    else window.removeEventListener('beforeunload', ask);
  }
}

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

export const outgoing = new OutgoingFiles();
