// What a person may answer to each kind of component, and what stands where nothing was answered. The same rules as
// crates/core/src/flow/answers.rs, which is the one to follow: change both together. Pure.
import { type Fields, isFields, type Json, member } from './resolve';

export const KINDS = [
  'TextInput',
  'TextArea',
  'Dropdown',
  'RadioButtonsGroup',
  'CheckboxGroup',
  'DatePicker',
  'OptIn',
  'SeatMap',
];
/** Where a component names no bounds of its own. */
const TEXT_INPUT_CHARS_MAX = 80;
const TEXT_AREA_CHARS_MAX = 600;
const SEATS_MAX = 20;

export interface Field {
  name: string;
  kind: string;
  label: string;
  required: boolean;
  /** What is there before anybody has answered. */
  init?: Json;
  /** What can be chosen: ids and titles, or free seats. */
  options: { id: string; title: string }[];
  /** The component itself, for its bounds. */
  component: Fields;
}

/** Why an answer does not do. */
export type Problem =
  | { rule: 'required' | 'unasked' | 'agree' | 'type' | 'number' | 'email' | 'phone' | 'taken' | 'option' | 'twice' }
  | { rule: 'chars' | 'count'; least: number; most: number; has: number }
  | { rule: 'day'; from: string; to: string };

export type Checked = { value: Json } | { problem: Problem };

export const kindOf = (component: Json | undefined) => textOf(component, 'type');

export function textOf(value: Json | undefined, name: string): string {
  const text = member(value, name);
  return typeof text === 'string' ? text : '';
}

/** A bound may come as a number or, from an endpoint's data, as its text. */
export function boundOf(component: Json, name: string): number | undefined {
  const bound = member(component, name);
  if (typeof bound === 'string' && /^\+?\d+$/.test(bound)) return Number(bound);
  return typeof bound === 'number' && Number.isInteger(bound) && bound >= 0 ? bound : undefined;
}

export function itemsOf(value: Json | undefined, name: string): Json[] {
  const items = member(value, name);
  return Array.isArray(items) ? items : [];
}

/** A component that takes an answer; its references are filled in. `inits` are its form's. */
export function fieldOf(component: Fields, inits: Json): Field | undefined {
  const name = member(component, 'name');
  if (typeof name !== 'string') return undefined;
  const kind = kindOf(component);
  const init = member(component, 'init-value') ?? member(inits, name);
  const required = member(component, 'required');
  return {
    name,
    kind,
    label: textOf(component, 'label'),
    required:
      typeof required === 'boolean' ? required : kind === 'SeatMap' && (boundOf(component, 'min-seats') ?? 1) > 0,
    ...(init === null || init === undefined ? {} : { init }),
    options: optionsOf(component, kind),
    component,
  };
}

function optionsOf(component: Fields, kind: string): Field['options'] {
  if (kind === 'Dropdown' || kind === 'RadioButtonsGroup' || kind === 'CheckboxGroup') {
    const items = itemsOf(component, 'data-source').filter((item) => member(item, 'enabled') !== false);
    return items.map((item) => ({ id: textOf(item, 'id'), title: textOf(item, 'title') }));
  }
  if (kind !== 'SeatMap') return [];
  const seats = itemsOf(component, 'rows').flatMap((row) => itemsOf(row, 'seats'));
  return seats
    .filter((seat) => member(seat, 'state') === 'free')
    .map((seat) => ({ id: textOf(seat, 'id'), title: textOf(seat, 'id') }));
}

export function seatBounds(component: Fields): { least: number; most: number } {
  return { least: boundOf(component, 'min-seats') ?? 1, most: boundOf(component, 'max-seats') ?? SEATS_MAX };
}

/** The answer to a field, or what stands there without one. */
export function checked(field: Field, given: Json | undefined): Checked {
  const answer = given ?? field.init ?? null;
  if (isEmpty(answer)) return field.required ? no('required') : { value: nothing(field.kind) };
  switch (field.kind) {
    case 'TextInput':
    case 'TextArea':
      return written(field, answer);
    case 'DatePicker':
      return day(field, answer);
    case 'OptIn':
      if (typeof answer !== 'boolean') return no('type');
      return answer || !field.required ? { value: answer } : no('agree');
    case 'CheckboxGroup': {
      const least = boundOf(field.component, 'min-selected-items') ?? 0;
      const most = boundOf(field.component, 'max-selected-items') ?? Number.POSITIVE_INFINITY;
      return several(field, answer, least, most);
    }
    case 'SeatMap': {
      const { least, most } = seatBounds(field.component);
      return several(field, answer, least, most);
    }
    default:
      return chosen(field, answer);
  }
}

const no = (rule: 'required' | 'agree' | 'type' | 'number' | 'email' | 'phone' | 'taken' | 'option' | 'twice') => ({
  problem: { rule },
});

function isEmpty(answer: Json): boolean {
  if (answer === null) return true;
  return typeof answer === 'string' ? answer.trim() === '' : Array.isArray(answer) && answer.length === 0;
}

function nothing(kind: string): Json {
  if (kind === 'OptIn') return false;
  return kind === 'CheckboxGroup' || kind === 'SeatMap' ? [] : '';
}

/** Numbers pass for their text: a script writes them so. */
function plain(answer: Json): string | undefined {
  if (typeof answer === 'number') return String(answer);
  return typeof answer === 'string' ? answer : undefined;
}

function written({ kind, component }: Field, answer: Json): Checked {
  const text = plain(answer);
  if (text === undefined) return no('type');
  const has = [...text].length;
  const area = kind === 'TextArea';
  const most =
    boundOf(component, area ? 'max-length' : 'max-chars') ?? (area ? TEXT_AREA_CHARS_MAX : TEXT_INPUT_CHARS_MAX);
  const least = boundOf(component, 'min-chars') ?? 0;
  if (has > most || has < least) return { problem: { rule: 'chars', least, most, has } };
  const type = textOf(component, 'input-type');
  if (type === 'number' && !isNumber(text.trim())) return no('number');
  if (type === 'email' && !/^[^@]+@./s.test(text.trim())) return no('email');
  if (type === 'phone' && (text.match(/[0-9]/g) ?? []).length < 5) return no('phone');
  return { value: text };
}

function isNumber(text: string): boolean {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) && Number.isFinite(Number(text));
}

/** Days of this form are ordered as texts are; older flows count milliseconds, and are left to their business. */
export const isDay = (text: string) => text.length === 10 && text[4] === '-';

function day({ component }: Field, answer: Json): Checked {
  const text = plain(answer);
  if (text === undefined) return no('type');
  const [from, to] = [textOf(component, 'min-date'), textOf(component, 'max-date')];
  if (isDay(text) && ((isDay(from) && text < from) || (isDay(to) && text > to))) {
    return { problem: { rule: 'day', from: isDay(from) ? from : '', to: isDay(to) ? to : '' } };
  }
  return itemsOf(component, 'unavailable-dates').includes(text) ? no('taken') : { value: text };
}

function chosen(field: Field, answer: Json): Checked {
  const id = plain(answer);
  if (id === undefined) return no('type');
  return field.options.some((option) => option.id === id) ? { value: id } : no('option');
}

function several(field: Field, answer: Json, least: number, most: number): Checked {
  const ids: string[] = [];
  for (const item of Array.isArray(answer) ? answer : [answer]) {
    const id = plain(item);
    if (id === undefined) return no('type');
    if (!field.options.some((option) => option.id === id)) return no('option');
    ids.push(id);
  }
  if (new Set(ids).size < ids.length) return no('twice');
  const has = ids.length;
  return has < least || has > most ? { problem: { rule: 'count', least, most, has } } : { value: ids };
}

/** What of an answer can still be given: options may have gone meanwhile. */
export function stillPossible(field: Field, answer: Json): Json | undefined {
  if (
    field.options.length === 0 &&
    !['Dropdown', 'RadioButtonsGroup', 'CheckboxGroup', 'SeatMap'].includes(field.kind)
  ) {
    return answer;
  }
  const known = (id: Json) => field.options.some((option) => option.id === id);
  if (Array.isArray(answer)) return answer.filter(known);
  return isFields(answer) || !known(answer) ? undefined : answer;
}
