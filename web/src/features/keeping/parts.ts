// What picking.svelte.ts fetches.

export { default as Pick } from './Pick.svelte';
export { default as PickBar } from './PickBar.svelte';
