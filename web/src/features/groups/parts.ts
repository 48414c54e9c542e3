// What cards.svelte.ts fetches.

export { default as RequestStrip } from '../invites/RequestStrip.svelte';
export { requests } from '../invites/requests.svelte';
export { default as Closed } from './Closed.svelte';
export { default as GroupNotice } from './GroupNotice.svelte';
export { default as GroupPreview } from './GroupPreview.svelte';
export { default as GroupRequest } from './GroupRequest.svelte';
export { default as GroupSubtitle } from './GroupSubtitle.svelte';
export { groups } from './groups.svelte';
