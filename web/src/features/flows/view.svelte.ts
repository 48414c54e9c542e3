// How this person likes to see seats; kept while the app is open, over all flows.
export const view: { seats: 'map' | 'list' } = $state({ seats: 'map' });
