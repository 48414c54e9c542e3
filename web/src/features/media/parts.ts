// What media.svelte.ts fetches.
export { default as AlbumCard } from './AlbumCard.svelte';
export { default as FileCard } from './FileCard.svelte';
export { incoming } from './incoming.svelte';
export { default as OutgoingRow } from './OutgoingRow.svelte';
export { outgoing } from './outgoing.svelte';
export { player } from './player.svelte';
