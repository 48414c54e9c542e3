import type { Words } from '.';

export const id: Words = {
  pin: 'Sematkan',
  unpin: 'Lepas sematan',
  archive: 'Arsipkan',
  unarchive: 'Keluarkan dari arsip',
  messages: 'Pesan',
  searching: 'Mencari…',
  none: (text) => `Tidak ada pesan dengan “${text}” di perangkat ini.`,
  more: 'Tampilkan yang lebih lama',
  unread: 'Tandai belum dibaca',
  read: 'Tandai sudah dibaca',
};
