// The time, to the second, for whatever on the screen depends on it; stands still while nothing does.
import { createSubscriber } from 'svelte/reactivity';

const ticking = createSubscriber((update) => {
  const timer = setInterval(update, 1000);
  return () => clearInterval(timer);
});

export function now(): number {
  ticking();
  return Date.now();
}
