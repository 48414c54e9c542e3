// What acting.svelte.ts fetches.
export { default as Reactions } from './Reactions.svelte';
