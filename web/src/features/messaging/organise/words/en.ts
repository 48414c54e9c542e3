export const en = {
  pin: 'Pin',
  unpin: 'Unpin',
  archive: 'Archive',
  unarchive: 'Take out of the archive',
  unread: 'Mark as unread',
  read: 'Mark as read',
};
