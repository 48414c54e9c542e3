// The page's end of the line to the worker that runs the encrypted core. Owns the worker; knows nothing of screens.
import workerUrl from '../worker/index.ts?worker&url';
import type { Answers, ApiError, Command, Reply } from './contract';
import type { FromWorker, ToWorker } from './messages';

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

export class CoreLink {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(listener: (message: Exclude<FromWorker, { type: 'reply' }>) => void) {
    this.#worker = new Worker(trusted(workerUrl), { type: 'module', name: 'kabar-core' });
    this.#worker.addEventListener('message', (event: MessageEvent<FromWorker>) => {
      const message = event.data;
      if (message.type === 'reply') this.#settle(message.id, message.result);
      else listener(message);
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

  keepNote(key: string, text: string): void {
    this.#post({ type: 'keep_note', key, text });
  }

  useHere(): void {
    this.#post({ type: 'use_here' });
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
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
