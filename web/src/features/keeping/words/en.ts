// English words of keeping messages, and the shape of the others.
export const en = {
  starred: 'Starred messages',
  star: 'Star',
  unstar: 'Remove the star',
  starred_empty: 'No message has a star yet',
  starred_hint: 'In the menu of a message, choose “Star”: you find it here again. Nobody else learns of it.',
  more: 'Show older ones',
  list_menu: 'More',

  pin: 'Pin',
  unpin: 'Unpin',
  pin_for: 'Pin for how long?',
  pin_day: 'For 24 hours',
  pin_week: 'For 7 days',
  pin_month: 'For 30 days',
  pinned: 'Pinned messages',
  pinned_one: (n: number, all: number) => (all === 1 ? 'Pinned message' : `Pinned message ${n} of ${all}`),
  gone: 'A message that is not on this device',

  select: 'Select',
  select_this: (what: string) => `Select “${what}”`,
  selected: (count: number) => (count === 1 ? '1 selected' : `${count} selected`),
  leave: 'Stop selecting',
  bar: 'What to do with the selected messages',
  copied: 'Copied',
  delete: 'Delete for everyone',
  delete_title: (count: number) =>
    count === 1 ? 'Delete 1 message for everyone?' : `Delete ${count} messages for everyone?`,
  delete_hint:
    'They go from this device and, as soon as they are reached, from those of everyone else. Somebody may have read or kept them before.',
  delete_yes: 'Delete',
  delete_no: 'Only messages of your own, sent within the last two days, can be deleted for everyone.',
  forward: 'Forward',
  forward_no: 'Only what people have written and the server has can be forwarded.',
  copy_no: 'There are no words to copy.',

  privately: 'Reply privately',
};
