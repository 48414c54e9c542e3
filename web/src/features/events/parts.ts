// What cards.svelte.ts fetches.
export { default as EventCard } from './EventCard.svelte';
export { default as EventStrip } from './EventStrip.svelte';
export { default as Reminder } from './Reminder.svelte';
