// Flow JSON as this device runs it: which screen comes first, what a screen asks for, and what its button does with the answers.
// The same as crates/core/src/flow/mod.rs, which is the one to follow: change both together. Pure; trusts no business.
import { checked, type Field, fieldOf, itemsOf, KINDS, kindOf, type Problem, textOf } from './answers';
import { type Fields, isFields, type Json, member, resolve, type Scope } from './resolve';

/** A screen's name that ends a flow. */
export const SUCCESS = 'SUCCESS';
/** Forms inside forms are not followed further. */
const DEPTH_MAX = 4;

/** A flow that cannot go on: it is not what this version understands, or names a screen that it has not. */
export class FlowBroken extends Error {
  readonly code = 'flow_broken';
}

export interface Screen {
  id: string;
  title: string;
  terminal: boolean;
  data: Fields;
  /** In their order; those of forms among the others, hidden ones left out. */
  components: Fields[];
  /** The components that take an answer. */
  fields: Field[];
  /** The button at the end. */
  action: Json;
}

export type Action =
  | { name: 'navigate'; screen: string; payload: Fields }
  | { name: 'data_exchange' | 'complete'; payload: Fields };

export class Flow {
  readonly #screens: Json[];

  constructor(json: string) {
    let flow: Json = null;
    try {
      flow = JSON.parse(json);
    } catch {
      throw new FlowBroken('it is no JSON');
    }
    this.#screens = itemsOf(flow, 'screens');
    if (this.#screens.length === 0) throw new FlowBroken('it has no screens');
  }

  /** Where a flow begins that does not ask its endpoint. */
  get first(): string {
    return textOf(
      this.#screens.find((screen) => typeof member(screen, 'id') === 'string'),
      'id',
    );
  }

  /** A screen with its data. `earlier` holds what was answered and shown before: see `remember`. */
  screen(id: string, data: Fields, earlier: Fields): Screen {
    const raw = this.#screens.find((screen) => member(screen, 'id') === id);
    if (raw === undefined) throw new FlowBroken(`it has no screen ${id}`);
    const scope: Scope = { form: {}, data, screens: earlier };
    const inits = itemsOf(member(raw, 'layout'), 'children').map((child) => member(child, 'init-values'));
    const init = resolve(inits.find((found) => found !== undefined) ?? null, scope);
    const shown: Fields[] = [];
    const fields: Field[] = [];
    let action: Json = null;
    for (const component of componentsOf(raw)) {
      // What a button sends is filled in when it is pressed.
      const button = member(component, 'on-click-action');
      const filled = resolve(component, scope);
      if (!isFields(filled)) continue;
      if (button !== undefined) {
        if (kindOf(component) === 'Footer') action = button;
        filled['on-click-action'] = button;
      }
      if (member(filled, 'visible') === false) continue;
      const field = KINDS.includes(kindOf(filled)) && member(filled, 'enabled') !== false && fieldOf(filled, init);
      if (field) fields.push(field);
      shown.push(filled);
    }
    const terminal = member(raw, 'terminal') === true;
    return { id, title: textOf(raw, 'title'), terminal, data, components: shown, fields, action };
  }
}

/** The components of a screen, those of its forms in their place. */
function componentsOf(screen: Json): Json[] {
  const collect = (children: Json[], depth: number): Json[] =>
    children.flatMap((child) =>
      kindOf(child) === 'Form' && depth < DEPTH_MAX ? collect(itemsOf(child, 'children'), depth + 1) : [child],
    );
  return collect(itemsOf(member(screen, 'layout'), 'children'), 0);
}

/** The whole form: the answers, and what stands where nothing was answered; and by field what is wrong with them. */
export function fill(screen: Screen, answers: Fields): { form: Fields; problems: Map<string, Problem> } {
  const problems = new Map<string, Problem>();
  const form: [string, Json][] = [];
  for (const field of screen.fields) {
    const result = checked(field, member(answers, field.name));
    if ('value' in result) form.push([field.name, result.value]);
    else problems.set(field.name, result.problem);
  }
  for (const name of Object.keys(answers)) {
    if (!screen.fields.some((field) => field.name === name)) problems.set(name, { rule: 'unasked' });
  }
  return { form: Object.fromEntries(form), problems };
}

/** What the screen's button does with a filled form. */
export function press(screen: Screen, form: Fields, earlier: Fields): Action {
  const scope: Scope = { form, data: screen.data, screens: earlier };
  const found = resolve(member(screen.action, 'payload') ?? null, scope);
  const payload = isFields(found) ? found : {};
  const name = textOf(screen.action, 'name');
  if (name === 'data_exchange' || name === 'complete') return { name, payload };
  const next = member(member(screen.action, 'next'), 'name');
  if (name === 'navigate' && typeof next === 'string') return { name, screen: next, payload };
  throw new FlowBroken(`nothing leads on from screen ${screen.id}`);
}

/** Keeps what a screen showed and what was answered, for `${screen.ID.form.x}` of later ones. */
export function remember(earlier: Fields, screen: Screen, form: Fields): Fields {
  return { ...earlier, [screen.id]: { form, data: screen.data } };
}
