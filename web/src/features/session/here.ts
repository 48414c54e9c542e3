// Tells the core whether the screen is looked at. Who may learn of it, the core knows.
import { session } from './session.svelte';

/** Whoever leaves for another tab and comes back at once was not away. */
const SETTLE_MS = 1_000;

let said: boolean | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

function say(): void {
  const here = document.visibilityState === 'visible';
  if (here === said) return;
  said = here;
  session.link.request({ type: 'set_here', here }).catch(() => (said = undefined));
}

function changed(): void {
  clearTimeout(timer);
  timer = setTimeout(say, SETTLE_MS);
}

/** There is an account to speak for: at the start, or after another tab had the core. */
export function sayWhetherHere(): void {
  document.addEventListener('visibilitychange', changed);
  said = undefined;
  changed();
}
