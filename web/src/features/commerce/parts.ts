// What cards.svelte.ts fetches.
export { default as OrderCard } from './OrderCard.svelte';
export { default as TicketCard } from './TicketCard.svelte';
