// Flow JSON as this device runs it: the same cases as crates/core/src/flow/tests.rs, and what the screens add to them.
import { describe, expect, it } from 'vitest';
import { Flow, FlowBroken, fill, press, remember } from './flow';
import { pictureOf } from './picture';
import { type Fields, type Json, resolve } from './resolve';

const ref = (path: string) => `\${${path}}`;

function booking(): Flow {
  const cities = [
    { id: 'jkt', title: 'Jakarta' },
    { id: 'bdg', title: 'Bandung' },
  ];
  const form = {
    type: 'Form',
    name: 'f',
    'init-values': { kota: 'jkt' },
    children: [
      { type: 'TextInput', name: 'nama', label: 'Nama', required: true },
      { type: 'Dropdown', name: 'kota', label: 'Kota', 'data-source': cities },
      { type: 'OptIn', name: 'kabar', label: 'Kabari saya' },
      { type: 'TextInput', name: 'rahasia', label: 'x', required: true, visible: false },
    ],
  };
  const next = { type: 'screen', name: 'KURSI' };
  const payload = { nama: ref('form.nama'), rows: ref('data.rows') };
  const answer = { untuk: ref('data.nama'), kota: ref('screen.NAMA.form.kota'), kursi: ref('form.kursi') };
  const children = [
    { type: 'TextHeading', text: `Halo ${ref('data.film')}, pilih jam` },
    form,
    { type: 'Footer', label: 'Lanjut', 'on-click-action': { name: 'navigate', next, payload } },
  ];
  const map = {
    type: 'SeatMap',
    name: 'kursi',
    label: 'Kursi',
    rows: ref('data.rows'),
    'min-seats': 1,
    'max-seats': ref('data.most'),
  };
  const end = { type: 'Footer', label: 'Pesan', 'on-click-action': { name: 'complete', payload: answer } };
  const screens = [
    { id: 'NAMA', title: 'Pesan', layout: { type: 'SingleColumnLayout', children } },
    { id: 'KURSI', terminal: true, layout: { type: 'SingleColumnLayout', children: [map, end] } },
  ];
  return new Flow(JSON.stringify({ version: '7.0', screens }));
}

const rows: Json = [
  {
    label: 'A',
    seats: [
      { id: 'A1', state: 'free', price: 25000 },
      { id: 'A2', state: 'sold' },
      { state: 'gap' },
      { id: 'A3', state: 'free' },
    ],
  },
];

function filled(screen: ReturnType<Flow['screen']>, answers: Fields): Fields {
  const { form, problems } = fill(screen, answers);
  expect([...problems]).toEqual([]);
  return form;
}

describe('a flow', () => {
  it('is gone through by a person', () => {
    const flow = booking();
    expect(flow.first).toBe('NAMA');
    const first = flow.screen('NAMA', { film: 'Laskar', rows }, {});
    expect(first.components[0]?.['text']).toBe('Halo Laskar, pilih jam');
    expect(first.fields.map(({ name }) => name)).toEqual(['nama', 'kota', 'kabar']);
    const form = filled(first, { nama: `Ani \${data.film}` });
    expect(form).toEqual({ nama: `Ani \${data.film}`, kota: 'jkt', kabar: false });
    const earlier = remember({}, first, form);
    const action = press(first, form, earlier);
    if (action.name !== 'navigate') throw new Error('does not lead on');
    expect(action.screen).toBe('KURSI');
    expect(action.payload['nama']).toBe(`Ani \${data.film}`);

    const second = flow.screen('KURSI', action.payload, earlier);
    expect(second.fields[0]?.options.map(({ id }) => id)).toEqual(['A1', 'A3']);
    expect(second.fields[0]?.required && second.terminal).toBe(true);
    const seats = filled(second, { kursi: ['A1', 'A3'] });
    expect(press(second, seats, earlier)).toEqual({
      name: 'complete',
      payload: { untuk: `Ani \${data.film}`, kota: 'jkt', kursi: ['A1', 'A3'] },
    });
  });

  it('names the answer that breaks a rule', () => {
    const flow = booking();
    const first = flow.screen('NAMA', {}, {});
    const second = flow.screen('KURSI', { rows, most: 1 }, {});
    const cases: [typeof first, Fields, string, object][] = [
      [first, {}, 'nama', { rule: 'required' }],
      [first, { nama: '  ' }, 'nama', { rule: 'required' }],
      [first, { nama: ['x'] }, 'nama', { rule: 'type' }],
      [first, { nama: 'x'.repeat(81) }, 'nama', { rule: 'chars', least: 0, most: 80, has: 81 }],
      [first, { nama: 'x', kota: 'sby' }, 'kota', { rule: 'option' }],
      [first, { nama: 'x', kabar: 'ya' }, 'kabar', { rule: 'type' }],
      [first, { nama: 'x', umur: 3 }, 'umur', { rule: 'unasked' }],
      [first, { nama: 'x', rahasia: 'y' }, 'rahasia', { rule: 'unasked' }],
      [second, {}, 'kursi', { rule: 'required' }],
      [second, { kursi: ['A2'] }, 'kursi', { rule: 'option' }],
      [second, { kursi: ['A1', 'A1'] }, 'kursi', { rule: 'twice' }],
      [second, { kursi: ['A1', 'A3'] }, 'kursi', { rule: 'count', least: 1, most: 1, has: 2 }],
    ];
    for (const [screen, answers, name, problem] of cases) {
      expect([...fill(screen, answers).problems], JSON.stringify(answers)).toEqual([[name, problem]]);
    }
  });

  function problem(component: object, answer: Json): object | undefined {
    const screens = [{ id: 'A', layout: { children: [{ name: 'a', ...component }] } }];
    const screen = new Flow(JSON.stringify({ screens })).screen('A', {}, {});
    return fill(screen, { a: answer }).problems.get('a');
  }

  it('looks at kinds of text and at days', () => {
    const input = (type: string) => ({ type: 'TextInput', 'input-type': type });
    expect(problem(input('number'), 7)).toBeUndefined();
    for (const text of ['tujuh', '0x10', 'Infinity', '1 2']) {
      expect(problem(input('number'), text), text).toEqual({ rule: 'number' });
    }
    for (const text of ['-1.5', ' 3 ', '.5', '5.', '1e3']) expect(problem(input('number'), text), text).toBeUndefined();
    expect(problem(input('email'), 'ani@')).toEqual({ rule: 'email' });
    expect(problem(input('email'), 'ani@x')).toBeUndefined();
    expect(problem(input('phone'), '+62 81')).toEqual({ rule: 'phone' });
    const day = {
      type: 'DatePicker',
      'min-date': '2026-01-10',
      'max-date': '2026-01-20',
      'unavailable-dates': ['2026-01-15'],
    };
    expect(problem(day, '2026-01-12')).toBeUndefined();
    expect(problem(day, '2026-01-09')).toEqual({ rule: 'day', from: '2026-01-10', to: '2026-01-20' });
    expect(problem(day, '2026-01-21')).toBeDefined();
    expect(problem(day, '2026-01-15')).toEqual({ rule: 'taken' });
    const source = [
      { id: '1', title: 'A' },
      { id: '2', title: 'B', enabled: false },
    ];
    const group = { type: 'CheckboxGroup', 'max-selected-items': 1, 'data-source': source };
    expect(problem(group, '1')).toBeUndefined();
    expect(problem(group, ['2'])).toEqual({ rule: 'option' });
    expect(problem({ type: 'OptIn', required: true }, false)).toEqual({ rule: 'agree' });
    expect(problem({ type: 'TextInput', 'min-chars': '3' }, '😀😀')).toMatchObject({ rule: 'chars', has: 2 });
  });

  it('is refused where a business got it wrong', () => {
    for (const json of ['', '[]', '{}', '{"screens":[]}']) expect(() => new Flow(json), json).toThrow(FlowBroken);
    const flow = new Flow('{"screens":[{"id":"A"},{"layout":7},3]}');
    expect(() => flow.screen('B', {}, {})).toThrow(FlowBroken);
    const screen = flow.screen('A', {}, {});
    expect(() => press(screen, {}, {})).toThrow(FlowBroken);
  });
});

describe('references', () => {
  const data: Fields = { n: 5, list: [{ x: true }], text: 'T' };
  it('keep types and miss in silence', () => {
    const cases: [Json, Json][] = [
      [ref('data.n'), 5],
      [ref('data.list.0.x'), true],
      [ref('data.none'), null],
      [ref('other.n'), null],
      [`n=${ref('data.n')}, ${ref('data.text')}${ref('data.none')}!`, 'n=5, T!'],
      [`${ref('data.n')} and ${ref('data.n')}`, '5 and 5'],
      [`open \${data.n`, `open \${data.n`],
      [{ a: [ref('data.n')] }, { a: [5] }],
    ];
    for (const [from, to] of cases) {
      expect(resolve(from, { form: {}, data, screens: {} }), JSON.stringify(from)).toEqual(to);
    }
  });
  it('find nothing that every object has', () => {
    for (const path of ['data.constructor', 'data.__proto__.x', 'data.list.length', 'toString.x', 'data']) {
      expect(resolve(ref(path), { form: {}, data, screens: {} }), path).toBeNull();
    }
    const hostile: Json = JSON.parse('{"__proto__":{"x":1}}');
    const copy = resolve(hostile, { form: {}, data, screens: {} });
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  });
  it('end somewhere', () => {
    let deep: Json = 'x';
    for (let i = 0; i < 100; i += 1) deep = [deep];
    expect(JSON.stringify(resolve(deep, { form: {}, data, screens: {} }))).toContain('null');
  });
});

describe('pictures', () => {
  it('are shown where they are pictures', () => {
    expect(pictureOf('iVBORw0KGgoAAA==')).toBe('data:image/png;base64,iVBORw0KGgoAAA==');
    expect(pictureOf('data:image/jpeg;base64,/9j/4AAQ')).toBe('data:image/jpeg;base64,/9j/4AAQ');
    for (const other of ['', 'https://x.example/a.png', 'PHN2Zz4=', 'iVBORw0KGgo"x']) expect(pictureOf(other)).toBe('');
  });
});
