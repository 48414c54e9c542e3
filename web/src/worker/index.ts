// The worker that runs the encrypted core. It puts the parts together: ownership of the core among tabs, store, shell.
import type { FromWorker, ToWorker } from '../core/messages';
import initWasm, { Core, FileOpener, FileSealer, safeFileName } from '../wasm/core';
import wasmUrl from '../wasm/core_bg.wasm?url';
import type { Files } from './files';
import { TabOwnership } from './ownership';
import { Shell } from './shell';
import { Store, StoreError } from './store';

let shell: Shell | undefined;
/** Commands that came before the core was ready. */
let early: Extract<ToWorker, { type: 'command' }>[] = [];
/** Fetched with the first job. */
let files: Promise<Files> | undefined;

// Begins at once: it takes longest, and needs no lock.
const wasm = initWasm({ module_or_path: fetch(wasmUrl) });
wasm.catch(() => undefined);

function tell(message: FromWorker): void {
  self.postMessage(message);
}

function trouble(reason: string, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  tell({ type: 'trouble', trouble: { reason: error instanceof StoreError ? error.reason : reason, message } });
}

function socketUrl(): string {
  const url = new URL('/v1/socket', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

async function begin(): Promise<void> {
  try {
    await wasm;
  } catch (error) {
    return trouble('core_load', error);
  }
  try {
    const store = await Store.open((error) => trouble(error.reason, error));
    const core = new Core();
    shell = new Shell(core, store, socketUrl(), tell);
    shell.start();
    for (const { id, command } of early) shell.command(id, JSON.stringify(command));
    early = [];
  } catch (error) {
    trouble('core', error);
  }
}

async function makeFiles(): Promise<Files> {
  const module = await import('./files');
  await wasm;
  return new module.Files({
    ask: (command) => shell?.ask(command) ?? Promise.resolve({ error: { code: 'offline', message: 'not running' } }),
    tell,
    core: { FileOpener, FileSealer, safeFileName },
  });
}

async function work({ id, job }: Extract<ToWorker, { type: 'job' }>): Promise<void> {
  try {
    files ??= makeFiles();
    await (await files).begin(id, job);
  } catch (error) {
    // Without a connection the part that does it may not come: the next job tries again.
    files = undefined;
    tell({ type: 'job_done', id, result: { error: { code: 'unreachable', message: String(error) } } });
  }
}

async function end(): Promise<void> {
  (await files?.catch(() => undefined))?.stop();
  await shell?.stop();
  shell = undefined;
}

// Nothing may fail in silence: what nobody caught stops the app where it can be seen.
self.addEventListener('unhandledrejection', (event) => trouble('core', event.reason));

const ownership = new TabOwnership({ begin, end, report: (state) => tell({ type: 'ownership', state }) });

self.addEventListener('message', (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  switch (message.type) {
    case 'command':
      if (shell) shell.command(message.id, JSON.stringify(message.command));
      else early.push(message);
      break;
    case 'job':
      void work(message);
      break;
    case 'drop_job':
      void files?.then((known) => known.drop(message.id)).catch(() => undefined);
      break;
    case 'keep_note':
      shell?.keepNote(message.key, message.text);
      break;
    case 'use_here':
      ownership.useHere();
      break;
    case 'network':
      shell?.network(message.online);
      if (message.online) void files?.then((known) => known.hurry()).catch(() => undefined);
  }
});
