// Indonesian words of what a chat holds.
import type { Words } from './index';

export const id: Words = {
  title: 'Media, tautan, dan dokumen',
  media: 'Media',
  links: 'Tautan',
  documents: 'Dokumen',
  media_none: 'Belum ada gambar atau video',
  links_none: 'Belum ada tautan',
  documents_none: 'Belum ada dokumen',
  none_hint: 'Yang dikirim di obrolan ini ada di sini, sejauh tersimpan di perangkat ini.',
  more: 'Tampilkan yang lebih lama',
  in_chat: 'Lihat di obrolan',
  from: (who, when) => `${who}, ${when}`,
};
