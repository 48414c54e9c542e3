import { describe, expect, it } from 'vitest';
import type { Interactive, InteractiveReply, Message, Template } from '../../core/contract';
import { answersOf, offerOf, titlesOf } from './offer';

function message(shown: Partial<Message>): Message {
  return {
    message_id: 'm',
    conversation_id: 'c',
    from: { account_id: 'shop', name: '' },
    mine: false,
    kind: 'text',
    time: 0,
    state: 'received',
    ...shown,
  };
}

function interactive(action: Interactive['action']): Message {
  const shown: Interactive = { header: null, body: 'Mau?', footer: null, action };
  return message({ kind: 'interactive', interactive: shown });
}

function template(buttons: Template['buttons']): Message {
  const shown: Template = { name: 'n', language: 'id', header: 'Halo', body: 'Isi', footer: null, buttons };
  return message({ kind: 'template', template: shown });
}

function reply(to: string, picked: InteractiveReply['reply'], changes: Partial<Message> = {}): Message {
  const shown: Partial<Message> = { kind: 'interactive_reply', interactive_reply: { reply: picked } };
  return message({ ...shown, mine: true, in_reply_to: to, ...changes });
}

describe('what a message offers', () => {
  it('is nothing beside plain words', () => {
    expect(offerOf(message({ text: 'halo' }))).toBeUndefined();
  });
  it('says so where this version does not know it', () => {
    const later = { dance: { cta: 'Menari' } } as unknown as Interactive['action'];
    for (const action of [null, later])
      expect(offerOf(interactive(action))).toMatchObject({ choices: [], unknown: true });
  });
  it('is its reply buttons', () => {
    const buttons = [{ id: 'ya', title: 'Ya' }];
    expect(offerOf(interactive({ buttons: { buttons } }))?.choices).toEqual(buttons);
  });
  it('is a list by the titles of its rows', () => {
    const rows = [
      { id: 'a', title: 'Satu', description: null },
      { id: 'b', title: 'Dua', description: 'ii' },
    ];
    const offer = offerOf(interactive({ list: { button: 'Lihat', sections: [{ title: '', rows }] } }));
    expect(offer && titlesOf(offer)).toEqual(['Satu', 'Dua']);
  });
  it('keeps the order of a template, whose payloads are ids', () => {
    const offer = offerOf(
      template([
        { text: 'Lacak', action: { url: 'https://toko.example/1' } },
        { text: 'Berhenti', action: { payload: 'STOP' } },
        { text: 'Baru', action: null },
      ]),
    );
    expect(offer).toEqual({
      header: 'Halo',
      footer: '',
      choices: [
        { title: 'Lacak', href: 'https://toko.example/1', host: 'toko.example' },
        { id: 'STOP', title: 'Berhenti' },
      ],
    });
  });
  it('leads to the web only, and says where as the browser reads it', () => {
    const host = (url: string) => {
      const [link] = offerOf(interactive({ cta_url: { display_text: 'Buka', url } }))?.choices ?? [];
      return link && 'host' in link ? link.host : undefined;
    };
    expect(host('https://bank.example@tipu.example/masuk')).toBe('tipu.example');
    expect(host('https://аррӏе.example')).toMatch(/^xn--/);
    expect(host('javascript:alert(1)')).toBe('');
    expect(host('toko')).toBe('');
  });
});

describe('what was picked', () => {
  it('is known by the message that was answered, the last answer first', () => {
    const answers = answersOf([
      reply('1', { button: { id: 'ya', title: 'Ya' } }),
      reply('2', { list: { id: 'b', title: 'Dua', description: null } }),
      reply('1', { button: { id: 'tidak', title: 'Tidak' } }),
    ]);
    expect([...answers]).toEqual([
      ['1', 'tidak'],
      ['2', 'b'],
    ]);
  });
  it('is only what I picked', () => {
    expect(answersOf([reply('1', { button: { id: 'ya', title: 'Ya' } }, { mine: false })]).size).toBe(0);
    expect(answersOf([reply('1', null), message({ mine: true, in_reply_to: '1' })]).size).toBe(0);
  });
  it('knows a flow and that it was filled in', () => {
    const flow = {
      flow_id: '1',
      flow_token: '',
      cta: 'Isi',
      flow_json: '',
      data_exchange: false,
      screen: '',
      data: '',
    };
    const offer = offerOf(interactive({ flow }));
    expect(offer && titlesOf(offer)).toEqual(['Isi']);
    expect([...answersOf([reply('1', { flow: { name: 'flow', body: 'x', response_json: '{}' } })])]).toEqual([
      ['1', 'flow'],
    ]);
  });
  it('shows the description of a row below it', () => {
    const picked = reply('1', { list: { id: 'b', title: 'Dua', description: 'ii' } });
    expect(offerOf(picked)?.footer).toBe('ii');
    expect(offerOf(reply('1', { button: { id: 'ya', title: 'Ya' } }))).toBeUndefined();
  });
});
