// One person's way through a flow: the screens so far, what was typed on them, questions to the seller, and the end.
import { SvelteMap } from 'svelte/reactivity';
import type { FlowOffer, FlowReply } from '../../core/contract';
import { kindOf, type Problem, stillPossible, textOf } from './answers';
import { Flow, fill, press, remember, type Screen, SUCCESS } from './flow';
import { type Fields, isFields, type Json, member } from './resolve';
import { hallOf } from './seats';

/** Longer than the core waits for the seller: its word on what happened is the better one. */
const EXCHANGE_WAIT_MS = 35_000;

export interface Line {
  ask(action: 'INIT' | 'data_exchange', screen: string, data: string): Promise<{ screen: string; data: string }>;
  send(reply: FlowReply): Promise<void>;
  /** What the thread shows of the answer. */
  body(): string;
}

export interface Trouble {
  code: string;
  /** In the words of the core or the seller. */
  message: string;
  /** The screen's button tries it anew, with what stands there by then; else `retry` does. */
  byButton: boolean;
}

/** A screen and what was typed on it. */
export class Step {
  screen: Screen = $state.raw() as Screen;
  readonly answers: SvelteMap<string, Json>;
  readonly problems = new SvelteMap<string, Problem>();
  /** What the seller says above the screen. */
  said = $state('');
  /** Seats that were picked and have gone meanwhile. */
  gone: string[] = $state.raw([]);
  /** Why the last tap did nothing. */
  hint = $state('');
  touched = false;

  constructor(screen: Screen, typed?: SvelteMap<string, Json>) {
    this.answers = typed ?? new SvelteMap();
    this.touched = typed !== undefined;
    this.renew(screen);
  }

  /** Takes a screen's newer data; what was typed stays where it is still possible. */
  renew(screen: Screen): void {
    const gone: string[] = [];
    const names = new Set(screen.fields.map((field) => field.name));
    for (const name of this.answers.keys()) if (!names.has(name)) this.answers.delete(name);
    for (const field of screen.fields) {
      const before = this.answers.get(field.name) ?? field.init;
      const now = before === undefined ? undefined : stillPossible(field, before);
      if (field.kind === 'SeatMap' && Array.isArray(before) && Array.isArray(now)) {
        gone.push(...before.filter((id): id is string => typeof id === 'string' && !now.includes(id)));
      }
      if (now === undefined) this.answers.delete(field.name);
      else this.answers.set(field.name, now);
    }
    this.problems.clear();
    this.hint = '';
    this.gone = gone;
    this.said = textOf(screen.data, 'error_message');
    this.screen = screen;
  }

  set(name: string, value: Json): void {
    this.touched = true;
    this.hint = '';
    this.answers.set(name, value);
    this.problems.delete(name);
  }

  get seatMap(): Fields | undefined {
    return this.screen.components.find((component) => kindOf(component) === 'SeatMap');
  }
}

export class FlowRun {
  steps: Step[] = $state.raw([]);
  busy: 'first' | 'next' | 'send' | undefined = $state();
  trouble: Trouble | undefined = $state.raw();
  done = $state(false);
  /** Until when the seller keeps the picked seats. */
  heldUntil: number | undefined = $state();
  readonly step = $derived(this.steps.at(-1));
  readonly #offer: FlowOffer;
  readonly #line: Line;
  #flow: Flow | undefined;
  #earlier: Fields = {};
  /** By screen; kept when one goes back. */
  readonly #typed = new Map<string, SvelteMap<string, Json>>();
  #heldFor: number | undefined;
  #again: (() => Promise<void>) | undefined;
  /** Answers to questions that nobody waits for any more are not heard. */
  #question = 0;

  constructor(offer: FlowOffer, line: Line) {
    this.#offer = offer;
    this.#line = line;
  }

  get touched(): boolean {
    return this.#typed.size > 0 || this.steps.some((step) => step.touched);
  }

  async begin(): Promise<void> {
    const { data_exchange, flow_json, screen, data } = this.#offer;
    await this.#try('first', async () => {
      this.#flow = new Flow(flow_json);
      if (data_exchange) await this.#exchange('INIT', '', {});
      else await this.#show(screen || this.#flow.first, parsed(data));
    });
  }

  /** The screen's button. Names the field that needs another answer. */
  async press(): Promise<string | undefined> {
    const { step } = this;
    // What the seller no longer holds cannot be ordered.
    if (!step || this.busy || this.done || (this.heldUntil ?? Infinity) < Date.now()) return undefined;
    step.hint = '';
    const { form, problems } = fill(step.screen, Object.fromEntries(step.answers));
    step.problems.clear();
    for (const [name, problem] of problems) step.problems.set(name, problem);
    if (problems.size > 0) return [...problems.keys()][0];
    this.#earlier = remember(this.#earlier, step.screen, form);
    this.#heldFor = step.seatMap && hallOf(step.seatMap).holdSeconds;
    await this.#try('next', async () => {
      const action = press(step.screen, form, this.#earlier);
      if (action.name === 'navigate') await this.#show(action.screen, action.payload);
      else if (action.name === 'complete') await this.#complete(action.payload);
      else await this.#exchange('data_exchange', step.screen.id, action.payload);
    });
    return undefined;
  }

  async retry(): Promise<void> {
    await this.#again?.();
  }

  back(): void {
    this.#forget();
    const left = this.step;
    if (!left || this.steps.length < 2) return;
    if (left.touched) this.#typed.set(left.screen.id, left.answers);
    this.steps = this.steps.slice(0, -1);
    if (this.step?.seatMap) this.heldUntil = undefined;
  }

  /** The seats are not kept any more: asks for the map as it is now, or goes back to it. */
  async reload(): Promise<void> {
    this.heldUntil = undefined;
    if (!this.#offer.data_exchange) {
      while (this.steps.length > 1 && !this.step?.seatMap) this.back();
      return;
    }
    for (const step of this.steps) if (step.touched) this.#typed.set(step.screen.id, step.answers);
    this.steps = [];
    await this.begin();
  }

  close(): void {
    this.#forget();
  }

  #forget(): void {
    this.#question += 1;
    this.busy = undefined;
    this.trouble = undefined;
  }

  async #try(busy: 'first' | 'next' | 'send', action: () => Promise<void>): Promise<void> {
    this.#forget();
    const mine = this.#question;
    this.#again = () => this.#try(busy, action);
    this.busy = busy;
    try {
      await action();
    } catch (error) {
      if (mine === this.#question) this.trouble = { ...troubleOf(error), byButton: this.busy === 'next' };
    } finally {
      if (mine === this.#question) this.busy = undefined;
    }
  }

  async #exchange(action: 'INIT' | 'data_exchange', screen: string, payload: Fields): Promise<void> {
    const mine = this.#question;
    const answer = await within(EXCHANGE_WAIT_MS, this.#line.ask(action, screen, JSON.stringify(payload)));
    if (mine === this.#question) await this.#show(answer.screen, parsed(answer.data));
  }

  async #show(id: string, data: Fields): Promise<void> {
    if (id === SUCCESS) {
      const params = member(member(data, 'extension_message_response'), 'params');
      return this.#complete(isFields(params) ? params : {});
    }
    const screen = (this.#flow as Flow).screen(id, data, this.#earlier);
    const at = this.steps.findIndex((step) => step.screen.id === id);
    const known = this.steps[at];
    if (known) {
      known.renew(screen);
      this.steps = this.steps.slice(0, at + 1);
    } else {
      this.steps = [...this.steps, new Step(screen, this.#typed.get(id))];
    }
    this.#hold(data);
  }

  /** The countdown is for the screens after the seat map, or where their own data say so. */
  #hold(data: Fields): void {
    const told = Number(member(data, 'hold_seconds') ?? 0);
    const seconds = told > 0 ? told : this.#heldFor;
    if (this.step?.seatMap) this.heldUntil = undefined;
    else if (seconds) this.heldUntil = Date.now() + seconds * 1000;
    this.#heldFor = undefined;
  }

  async #complete(payload: Fields): Promise<void> {
    const response = Object.hasOwn(payload, 'flow_token')
      ? payload
      : { ...payload, flow_token: this.#offer.flow_token };
    // From here on a repeat sends the same answer, and asks nobody anew.
    this.#again = () => this.#try('send', () => this.#complete(payload));
    this.busy = 'send';
    await this.#line.send({ name: 'flow', body: this.#line.body(), response_json: JSON.stringify(response) });
    this.done = true;
  }
}

function parsed(text: string): Fields {
  try {
    const data: Json = JSON.parse(text || '{}');
    return isFields(data) ? data : {};
  } catch {
    return {};
  }
}

function troubleOf(error: unknown): Pick<Trouble, 'code' | 'message'> {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return {
    code: typeof code === 'string' ? code : 'other',
    message: typeof message === 'string' ? message : String(error),
  };
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('no answer'), { code: 'flow_timeout' })), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
