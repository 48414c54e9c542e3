// Indonesian words of keeping messages.
import type { Words } from './index';

export const id: Words = {
  starred: 'Pesan berbintang',
  star: 'Beri bintang',
  unstar: 'Hapus bintang',
  starred_empty: 'Belum ada pesan berbintang',
  starred_hint:
    'Pilih “Beri bintang” di menu sebuah pesan: pesan itu dapat Anda temukan lagi di sini. Orang lain tidak mengetahuinya.',
  more: 'Tampilkan yang lebih lama',
  list_menu: 'Lainnya',

  pin: 'Sematkan',
  unpin: 'Lepas sematan',
  pin_for: 'Sematkan selama apa?',
  pin_day: 'Selama 24 jam',
  pin_week: 'Selama 7 hari',
  pin_month: 'Selama 30 hari',
  pinned: 'Pesan tersemat',
  pinned_one: (n, all) => (all === 1 ? 'Pesan tersemat' : `Pesan tersemat ${n} dari ${all}`),
  gone: 'Pesan yang tidak ada di perangkat ini',

  select: 'Pilih',
  select_this: (what) => `Pilih “${what}”`,
  selected: (count) => `${count} dipilih`,
  leave: 'Berhenti memilih',
  bar: 'Tindakan untuk pesan yang dipilih',
  copied: 'Disalin',
  delete: 'Hapus untuk semua',
  delete_title: (count) => `Hapus ${count} pesan untuk semua?`,
  delete_hint:
    'Pesan-pesan ini hilang dari perangkat ini dan, begitu terjangkau, dari perangkat semua orang lain. Bisa jadi sudah dibaca atau disimpan sebelumnya.',
  delete_yes: 'Hapus',
  delete_no: 'Hanya pesan Anda sendiri dari dua hari terakhir yang dapat dihapus untuk semua.',
  forward: 'Teruskan',
  forward_no: 'Hanya tulisan orang yang sudah ada di server yang dapat diteruskan.',
  copy_no: 'Tidak ada kata-kata untuk disalin.',

  privately: 'Balas secara pribadi',
};
