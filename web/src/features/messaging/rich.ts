// What rich.svelte.ts fetches.

export { spokenOf } from './formatting';
export { default as Rich } from './Rich.svelte';
