// English words of passing a message on, and the shape of the others.
export const en = {
  title: 'Forward to',
  find: 'Search chats',
  none: 'No chat by that name.',
  many: (most: number) => `At most ${most} chats at a time.`,
  once: 'This message was forwarded many times: one chat at a time.',
  go: (count: number) => (count === 1 ? 'Forward to 1 chat' : `Forward to ${count} chats`),
  pick: 'Pick a chat',
};
