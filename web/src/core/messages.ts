// What a page and its worker say to each other.
import type { ApiError, Command, FileBody, Notification, Reply } from './contract';

export type ToWorker =
  | { type: 'command'; id: number; command: Command }
  /** The person wants this tab to be the one that runs Kabar. */
  | { type: 'use_here' }
  /** A note of the screens' own (a draft, a name from a link), sealed like everything else; an empty text forgets it. */
  | { type: 'keep_note'; key: string; text: string }
  /** Something about a file that takes its time. The same id again goes on where it stopped, if it did. */
  | { type: 'job'; id: number; job: Job }
  /** Nobody wants it any more: what there is of it is thrown away. */
  | { type: 'drop_job'; id: number }
  /** The browser's own idea of the network; a page learns it more reliably than a worker. */
  | { type: 'network'; online: boolean };

export type FromWorker =
  | { type: 'ownership'; state: Ownership }
  | { type: 'reply'; id: number; result: { ok: Reply } | { error: ApiError } }
  | { type: 'notes'; notes: Record<string, string> }
  | { type: 'notification'; notification: Notification }
  /** In bytes of the file. */
  | { type: 'job_progress'; id: number; done: number }
  | { type: 'job_done'; id: number; result: { ok: Gives[Job['type']] } | { error: ApiError } }
  | { type: 'trouble'; trouble: Trouble };

export type Job =
  /** Makes a picture ready to be sent: small enough, without what the camera wrote into it. */
  { type: 'prepare'; file: File; hd: boolean } | { type: 'upload'; file: Blob } | { type: 'download'; file: FileBody };

/** What a job ends with. */
export interface Gives {
  prepare: Prepared;
  upload: Uploaded;
  /** Without a type: whoever uses it says what it may be taken for. */
  download: Blob;
}

/** What is sent in place of a chosen file. */
export interface Prepared {
  body: Blob;
  name: string;
  mime_type: string;
  /** 0 and null unless it can be shown as a picture. */
  width: number;
  height: number;
  preview: Blob | null;
  /** Drawn anew, so that nothing is in it but what can be seen. */
  redrawn: boolean;
  /** A film without what a camera wrote into it. */
  cleaned?: boolean;
  /** What else the message says of it. */
  facts?: Pick<FileBody, 'duration_ms' | 'voice' | 'waveform' | 'pages'>;
}

/** What a message says of the bytes that were sent. */
export type Uploaded = Pick<FileBody, 'key' | 'location' | 'sha256' | 'ciphertext_sha256' | 'size_bytes'>;

/**
 * Who runs the encrypted core of this origin: `held` by this tab, `elsewhere` in another tab, `asking` that tab to let go,
 * `unanswered` when it has not done so for some seconds.
 */
export type Ownership = 'held' | 'elsewhere' | 'asking' | 'unanswered';

/** Nothing goes on; `reason` is a stable word, `message` is what the machine said. */
export interface Trouble {
  reason: string;
  message: string;
}
