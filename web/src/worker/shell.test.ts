import { describe, expect, it, vi } from 'vitest';
import type { FromWorker } from '../core/messages';
import type { Core, CoreOutput } from '../wasm/core';
import { Shell } from './shell';
import { type Store, StoreError } from './store';

type Answer = () => CoreOutput[];

/** A core that says what it is told to, and a store that does or does not. */
function shellOf(parts: { start?: CoreOutput[]; committed?: Answer; write?: () => Promise<void> }) {
  const core = {
    start: vi.fn(() => parts.start ?? []),
    command: vi.fn(() => [] as CoreOutput[]),
    committed: vi.fn(parts.committed ?? (() => [])),
    failed: vi.fn(() => [] as CoreOutput[]),
    scanned: vi.fn(() => [] as CoreOutput[]),
    wake: vi.fn(() => [] as CoreOutput[]),
    free: vi.fn(),
  };
  const store = {
    write: vi.fn(parts.write ?? (() => Promise.resolve())),
    scan: vi.fn(() => Promise.resolve([])),
    notes: vi.fn(() => Promise.resolve({})),
    close: vi.fn(() => Promise.resolve()),
  };
  const told: FromWorker[] = [];
  const shell = new Shell(core as unknown as Core, store as unknown as Store, 'ws://localhost', (message) => {
    if (message.type !== 'notes') told.push(message);
  });
  return { shell, core, store, told };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));
const batch: CoreOutput = { type: 'batch', id: 1, writes: [{ key: new Uint8Array([1]), value: new Uint8Array([2]) }] };

describe('the shell of the core', () => {
  it('says that a batch is committed only after it is stored', async () => {
    let stored = () => {};
    const write = () => new Promise<void>((resolve) => (stored = resolve));
    const { shell, core } = shellOf({ start: [batch], write });
    shell.start();
    await settled();
    expect(core.committed).not.toHaveBeenCalled();
    stored();
    await settled();
    expect(core.committed).toHaveBeenCalledWith(1, expect.any(Number));
  });

  it('tells the core and the person when a batch cannot be stored', async () => {
    const write = () => Promise.reject(new StoreError('store_write', new Error('QuotaExceededError')));
    const { shell, core, told } = shellOf({ start: [batch], write });
    shell.start();
    await settled();
    expect(core.failed).toHaveBeenCalledOnce();
    expect(core.committed).not.toHaveBeenCalled();
    expect(told).toEqual([
      { type: 'trouble', trouble: { reason: 'store_write', message: 'Error: QuotaExceededError' } },
    ]);
  });

  it('passes replies and notifications on as objects', async () => {
    const { shell, told } = shellOf({
      start: [
        { type: 'reply', id: 7, json: '{"ok":{"type":"done"}}' },
        { type: 'notify', json: '{"type":"registration","mode":"open"}' },
      ],
    });
    shell.start();
    expect(told).toEqual([
      { type: 'reply', id: 7, result: { ok: { type: 'done' } } },
      { type: 'notification', notification: { type: 'registration', mode: 'open' } },
    ]);
  });

  it('stops the app when the core breaks, instead of going on', () => {
    const { shell, core, told } = shellOf({});
    core.command.mockImplementation(() => {
      throw new Error('unreachable');
    });
    shell.command(1, '{}');
    expect(told).toEqual([{ type: 'trouble', trouble: { reason: 'core', message: 'unreachable' } }]);
  });

  it('is silent and closed after it was stopped', async () => {
    const { shell, core, store, told } = shellOf({ start: [batch] });
    shell.start();
    await shell.stop();
    await settled();
    shell.command(1, '{}');
    expect(store.close).toHaveBeenCalled();
    expect(core.free).toHaveBeenCalled();
    expect(core.command).not.toHaveBeenCalled();
    expect(core.committed).not.toHaveBeenCalled();
    expect(told).toEqual([]);
  });
});
