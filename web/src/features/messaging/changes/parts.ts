// What acting.svelte.ts fetches.

export { default as Forwarded } from './Forwarded.svelte';
export { passedOn } from './passed-on';
export { default as Reactions } from './Reactions.svelte';
