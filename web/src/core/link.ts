// The page's end of the line to the worker that runs the encrypted core. Owns the worker; knows nothing of screens.
import workerUrl from '../worker/index.ts?worker&url';
import type { Answers, ApiError, Command, Reply } from './contract';
import type { FromWorker, Gives, Job, ToWorker } from './messages';

/** A command was refused; the code is stable, the message is the core's own sentence. */
export class CoreError extends Error {
  readonly code: string;
  readonly parameter: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(error: ApiError) {
    super(error.message);
    this.code = error.code;
    this.parameter = error.parameter;
    this.retryAfterMs = error.retry_after_ms;
  }
}

type Of<C extends Command['type']> = Extract<Command, { type: C }>;
export type AnswerTo<C extends Command['type']> = Extract<Reply, { type: Answers[C] }>;

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: CoreError): void;
}

interface WorkingOn {
  resolve(given: Gives[Job['type']]): void;
  reject(error: CoreError): void;
  progress(done: number): void;
}

type FromCore = Exclude<FromWorker, { type: 'reply' | 'job_progress' | 'job_done' }>;

export class CoreLink {
  readonly #worker: Worker;
  readonly #jobs = new Map<number, WorkingOn>();
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(listener: (message: FromCore) => void) {
    this.#worker = new Worker(trusted(workerUrl), { type: 'module', name: 'kabar-core' });
    this.#worker.addEventListener('message', (event: MessageEvent<FromWorker>) => {
      const message = event.data;
      switch (message.type) {
        case 'reply':
          this.#settle(message.id, message.result);
          break;
        case 'job_progress':
          this.#jobs.get(message.id)?.progress(message.done);
          break;
        case 'job_done':
          this.#finish(message.id, message.result);
          break;
        default:
          listener(message);
      }
    });
    this.#worker.addEventListener('error', (event) => {
      listener({
        type: 'trouble',
        trouble: { reason: 'worker', message: event.message || 'The worker did not start.' },
      });
    });
    for (const name of ['online', 'offline'] as const) {
      window.addEventListener(name, () => this.#post({ type: 'network', online: name === 'online' }));
    }
  }

  request<C extends Command['type']>(command: Of<C>): Promise<AnswerTo<C>> {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#post({ type: 'command', id, command });
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (reply: Reply) => void, reject });
    });
  }

  /** Makes an id for a job: whoever keeps it can go on with a job that stopped, or drop it. */
  newJob(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  work<J extends Job>(id: number, job: J, progress: (done: number) => void = () => {}): Promise<Gives[J['type']]> {
    this.#post({ type: 'job', id, job });
    return new Promise((resolve, reject) => {
      this.#jobs.set(id, { resolve: resolve as WorkingOn['resolve'], reject, progress });
    });
  }

  dropJob(id: number): void {
    this.#post({ type: 'drop_job', id });
    this.#finish(id, { error: { code: 'dropped', message: 'Nobody wants it any more.' } });
  }

  keepNote(key: string, text: string): void {
    this.#post({ type: 'keep_note', key, text });
  }

  /** The person does not want to wait for the next try. */
  hurry(): void {
    this.#post({ type: 'network', online: true });
  }

  useHere(): void {
    this.#post({ type: 'use_here' });
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #finish(id: number, result: { ok: Gives[Job['type']] } | { error: ApiError }): void {
    const job = this.#jobs.get(id);
    this.#jobs.delete(id);
    if ('ok' in result) job?.resolve(result.ok);
    else job?.reject(new CoreError(result.error));
  }

  #settle(id: number, result: { ok: Reply } | { error: ApiError }): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if ('ok' in result) waiting?.resolve(result.ok);
    else waiting?.reject(new CoreError(result.error));
  }
}

interface ScriptUrlPolicy {
  createScriptURL(url: string): string;
}
interface TrustedTypes {
  createPolicy(name: string, rules: ScriptUrlPolicy): ScriptUrlPolicy;
}

let policy: ScriptUrlPolicy | undefined;

/** The only two scripts that the page may start: its worker and its service worker, both built with it. */
export function trusted(url: string): string {
  const rules: ScriptUrlPolicy = {
    createScriptURL(candidate) {
      const { origin, pathname } = new URL(candidate, location.href);
      if (
        origin !== location.origin ||
        !(pathname === '/sw.js' || pathname === new URL(workerUrl, location.href).pathname)
      ) {
        throw new TypeError(`not one of Kabar's own scripts: ${pathname}`);
      }
      return candidate;
    },
  };
  const types = (window as unknown as { trustedTypes?: TrustedTypes }).trustedTypes;
  policy ??= types ? types.createPolicy('kabar-workers', rules) : rules;
  return policy.createScriptURL(url);
}
