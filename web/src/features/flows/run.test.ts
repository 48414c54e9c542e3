// A person's way through a flow: back and forth, refusals, and the end.
import { describe, expect, it } from 'vitest';
import type { FlowOffer, FlowReply } from '../../core/contract';
import { FlowRun } from './run.svelte';
import { catalogues } from './words';

const footer = (action: object) => ({ type: 'Footer', label: 'x', 'on-click-action': action });
const seat = (id: string, state = 'free') => ({ id, state });
const map = { type: 'SeatMap', name: 's', label: 'S', rows: `\${data.rows}`, 'hold-seconds': 60 };
const screens = [
  {
    id: 'A',
    layout: { children: [map, footer({ name: 'data_exchange', payload: { s: `\${form.s}` } })] },
  },
  {
    id: 'B',
    layout: {
      children: [
        { type: 'TextInput', name: 'n', label: 'N', required: true },
        footer({ name: 'complete', payload: { s: `\${screen.A.form.s}`, n: `\${form.n}` } }),
      ],
    },
  },
];

type Answer = { screen: string; data: object } | { code: string };

function start(answers: Answer[], changes: Partial<FlowOffer> = {}) {
  const asked: [string, string, string][] = [];
  const sent: FlowReply[] = [];
  const offer: FlowOffer = {
    flow_id: '1',
    flow_token: 'T',
    cta: 'Go',
    flow_json: JSON.stringify({ screens }),
    data_exchange: true,
    screen: '',
    data: '',
    ...changes,
  };
  const run = new FlowRun(offer, {
    async ask(...question) {
      asked.push(question);
      const answer = answers.shift() ?? { code: 'endpoint_failed' };
      if ('code' in answer) throw Object.assign(new Error('said'), answer);
      return { screen: answer.screen, data: JSON.stringify(answer.data) };
    },
    async send(reply) {
      sent.push(reply);
    },
    body: () => 'Sent',
  });
  return { run, asked, sent };
}

const rows = (b: string) => ({ rows: [{ label: 'A', seats: [seat('A1'), seat('A2', b)] }] });

describe('a flow that asks its seller', () => {
  it('begins with INIT, keeps what was typed, and ends with the token', async () => {
    const { run, asked, sent } = start([
      { screen: 'A', data: rows('free') },
      { screen: 'B', data: {} },
      { screen: 'B', data: {} },
    ]);
    await run.begin();
    expect(asked[0]).toEqual(['INIT', '', '{}']);
    expect(run.touched).toBe(false);
    expect(await run.press()).toBe('s');
    run.step?.set('s', ['A2']);
    expect(run.touched).toBe(true);
    await run.press();
    expect(asked[1]).toEqual(['data_exchange', 'A', '{"s":["A2"]}']);
    expect(run.step?.screen.id).toBe('B');
    expect(Math.round(((run.heldUntil ?? 0) - Date.now()) / 1000)).toBe(60);
    expect(await run.press()).toBe('n');
    run.step?.set('n', 'Ani');
    run.back();
    expect(run.heldUntil).toBeUndefined();
    expect(run.step?.answers.get('s')).toEqual(['A2']);
    await run.press();
    expect(run.step?.answers.get('n')).toBe('Ani');
    await run.press();
    expect(run.done).toBe(true);
    expect(sent[0]?.name).toBe('flow');
    expect(JSON.parse(sent[0]?.response_json ?? '')).toEqual({ s: ['A2'], n: 'Ani', flow_token: 'T' });
  });

  it('shows the same screen anew when a seat has gone', async () => {
    const { run } = start([
      { screen: 'A', data: rows('free') },
      { screen: 'A', data: { ...rows('sold'), error_message: 'Gone' } },
    ]);
    await run.begin();
    run.step?.set('s', ['A1', 'A2']);
    await run.press();
    expect(run.steps.length).toBe(1);
    expect(run.step?.said).toBe('Gone');
    expect(run.step?.gone).toEqual(['A2']);
    expect(run.step?.answers.get('s')).toEqual(['A1']);
  });

  it('says what went wrong, and tries again', async () => {
    const { run, asked } = start([{ code: 'endpoint_unreachable' }, { screen: 'A', data: rows('free') }]);
    await run.begin();
    expect(run.trouble).toEqual({ code: 'endpoint_unreachable', message: 'said', byButton: false });
    await run.retry();
    expect(run.trouble).toBeUndefined();
    expect(asked.length).toBe(2);
    expect(run.step?.screen.id).toBe('A');
  });

  it('tries again with what stands on the screen by then', async () => {
    const { run, asked } = start([
      { screen: 'A', data: rows('free') },
      { code: 'flow_timeout' },
      { screen: 'B', data: {} },
    ]);
    await run.begin();
    run.step?.set('s', ['A1']);
    await run.press();
    expect(run.trouble?.byButton).toBe(true);
    run.step?.set('s', ['A2']);
    await run.press();
    expect(asked[2]?.[2]).toBe('{"s":["A2"]}');
    expect(run.trouble).toBeUndefined();
  });

  it('ends where the seller says SUCCESS', async () => {
    const params = { flow_token: 'other', s: 'A1' };
    const { run, sent } = start([{ screen: 'SUCCESS', data: { extension_message_response: { params } } }]);
    await run.begin();
    expect(JSON.parse(sent[0]?.response_json ?? '')).toEqual(params);
  });

  it('asks for the seats again when they are no longer held', async () => {
    const { run, asked } = start([
      { screen: 'A', data: rows('free') },
      { screen: 'B', data: { hold_seconds: 5 } },
      { screen: 'A', data: rows('sold') },
    ]);
    await run.begin();
    run.step?.set('s', ['A1']);
    await run.press();
    expect(Math.round(((run.heldUntil ?? 0) - Date.now()) / 1000)).toBe(5);
    await run.reload();
    expect(asked[2]?.[0]).toBe('INIT');
    expect(run.steps.length).toBe(1);
    expect(run.step?.answers.get('s')).toEqual(['A1']);
  });

  it('does not hear an answer that nobody waits for any more', async () => {
    const { run } = start([{ screen: 'A', data: rows('free') }]);
    const begun = run.begin();
    run.close();
    await begun;
    expect(run.steps).toEqual([]);
  });
});

describe('a flow that asks nobody', () => {
  it('begins at its screen with its data, and says when it is broken', async () => {
    const { run, asked } = start([], { data_exchange: false, screen: 'B', data: '{"x":1}' });
    await run.begin();
    expect(asked).toEqual([]);
    expect(run.step?.screen.data).toEqual({ x: 1 });
    const broken = start([], { data_exchange: false, flow_json: '{' });
    await broken.run.begin();
    expect(broken.run.trouble?.code).toBe('flow_broken');
  });
});

describe('the words', () => {
  it('are there in both languages', () => {
    for (const words of Object.values(catalogues)) {
      for (const [key, word] of Object.entries(words))
        expect(typeof word === 'function' || word.trim(), key).toBeTruthy();
      expect(words.problem('Nama', { rule: 'chars', least: 3, most: 9, has: 1 })).toContain('3');
      expect(words.problem('Nama', { rule: 'day', from: '', to: '2026-01-01' })).toContain('2026-01-01');
      expect(words.seats_rule(2, 2)).not.toContain('1');
    }
  });
});
