// Indonesian words of what is done to messages.
import type { Words } from './index';

export const id: Words = {
  menu: (what) => `Pesan “${what}”`,
  react: 'Beri tanggapan',
  react_with: (emoji) => `Tanggapi dengan ${emoji}`,
  react_back: (emoji) => `Tarik kembali ${emoji}`,
  react_more: 'Emoji lain',
  reacted: (emoji, who) => `${emoji} dari ${who}`,
  forward: 'Teruskan',
  forwarded: 'Diteruskan',
  forwarded_often: 'Sering diteruskan',
  edit: 'Sunting',
  delete: 'Hapus untuk semua',
  info: 'Siapa sudah menerima',
  report: 'Laporkan',
  versions: 'Versi sebelumnya',
  version_now: 'Sekarang',
  version_until: (moment) => `Ditulis ${moment}`,
  delete_title: 'Hapus untuk semua?',
  delete_hint: (name) =>
    `Pesan ini hilang dari perangkat ini dan, begitu terjangkau, dari perangkat ${name}. Bisa jadi sudah dibaca atau disimpan sebelumnya.`,
  delete_hint_group:
    'Pesan ini hilang dari perangkat ini dan, begitu terjangkau, dari perangkat semua anggota. Bisa jadi sudah dibaca atau disimpan sebelumnya.',
  delete_hint_admin: 'Semua orang melihat bahwa Anda yang menghapusnya, sebagai admin.',
  delete_event_hint:
    'Undangan dan semua jawabannya ikut hilang. Untuk memberi tahu bahwa acaranya batal, batalkan saja.',
  delete_yes: 'Hapus',

  emoji_title: 'Beri tanggapan',
  emoji_search: 'Cari, atau ketik emoji',
  emoji_none: 'Tidak ada emoji dengan nama itu. Anda juga dapat mengetiknya.',
  emoji_list: 'Emoji',
};
