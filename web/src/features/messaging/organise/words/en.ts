export const en = {
  pin: 'Pin',
  unpin: 'Unpin',
  archive: 'Archive',
  unarchive: 'Take out of the archive',
  messages: 'Messages',
  searching: 'Searching…',
  none: (text: string) => `No message with “${text}” on this device.`,
  more: 'Show older ones',
  unread: 'Mark as unread',
  read: 'Mark as read',
};
