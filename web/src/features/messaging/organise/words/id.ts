import type { Words } from '.';

export const id: Words = {
  pin: 'Sematkan',
  unpin: 'Lepas sematan',
  archive: 'Arsipkan',
  unarchive: 'Keluarkan dari arsip',
  unread: 'Tandai belum dibaca',
  read: 'Tandai sudah dibaca',
};
