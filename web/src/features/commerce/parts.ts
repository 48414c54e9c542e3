// What cards.svelte.ts fetches.
export { default as OrderCard } from './OrderCard.svelte';
export { purchases } from './purchases.svelte';
export { default as TicketCard } from './TicketCard.svelte';
