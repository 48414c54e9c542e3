// English words of speaking to people, and the shape of the others.
export const en = {
  people: 'People to mention',
  found: (count: number) => (count === 1 ? '1 person to mention' : `${count} people to mention`),
  all: 'all',
  all_hint: 'Everybody in the group',
  message: (name: string) => `Message ${name}`,
};
