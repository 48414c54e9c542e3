// References in Flow JSON: `${form.x}`, `${data.x.y}`, `${screen.ID.form.x}`. The same as crates/core/src/flow/resolve.rs, which
// is the one to follow: change both together. Pure.

export type Json = null | boolean | number | string | Json[] | Fields;
export type Fields = { [name: string]: Json };

/** What references may name. */
export interface Scope {
  /** Answers on the present screen. */
  form: Fields;
  /** What the present screen was given. */
  data: Fields;
  /** By screen: `form` and `data` of the ones before. */
  screens: Fields;
}

/** Values inside values are not followed further. */
const DEPTH_MAX = 32;

export function isFields(value: Json | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member of an object, and never something that every object has. */
export function member(value: Json | undefined, name: string): Json | undefined {
  return isFields(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function lookUp(path: string, { form, data, screens }: Scope): Json | undefined {
  const [first, ...steps] = path.split('.');
  const root = { form, data, screen: screens }[first as 'form' | 'data' | 'screen'] as Fields | undefined;
  if (!root || !['form', 'data', 'screen'].includes(first ?? '') || steps.length === 0) return undefined;
  let value: Json | undefined = root;
  for (const step of steps) {
    value = Array.isArray(value) ? (/^\+?\d+$/.test(step) ? value[Number(step)] : undefined) : member(value, step);
    if (value === undefined) return undefined;
  }
  return value;
}

/**
 * The value with its references filled in. A text that is one reference becomes the value itself, with its type; what is not there
 * is null, and empty inside a longer text.
 */
export function resolve(value: Json, scope: Scope, depth = DEPTH_MAX): Json {
  if (depth <= 0) return null;
  if (typeof value === 'string') return inText(value, scope);
  if (Array.isArray(value)) return value.map((item) => resolve(item, scope, depth - 1));
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, resolve(inner, scope, depth - 1)]));
}

function inText(text: string, scope: Scope): Json {
  if (text.startsWith('${') && text.endsWith('}') && !text.includes('${', 2)) {
    // Not resolved again: what a person enters is never read as a reference.
    return lookUp(text.slice(2, -1), scope) ?? null;
  }
  let filled = '';
  let rest = text;
  for (let at = rest.indexOf('${'); at >= 0; at = rest.indexOf('${')) {
    const end = rest.indexOf('}', at);
    if (end < 0) break;
    const found = lookUp(rest.slice(at + 2, end), scope) ?? '';
    filled += rest.slice(0, at) + (typeof found === 'string' ? found : JSON.stringify(found));
    rest = rest.slice(end + 1);
  }
  return filled + rest;
}
