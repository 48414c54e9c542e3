// What media.svelte.ts fetches.
export { default as FileCard } from './FileCard.svelte';
export { default as OutgoingRow } from './OutgoingRow.svelte';
export { outgoing } from './outgoing.svelte';
