// Indonesian words of privacy.
import type { Words } from './index';

export const id: Words = {
  here: 'daring',
  seen_today: (time) => `terlihat hari ini ${time}`,
  seen_yesterday: (time) => `terlihat kemarin ${time}`,
  seen_on: (day) => `terlihat ${day}`,

  title: 'Privasi',
  title_hint: 'Tanda dibaca, mengetik, siapa yang melihat Anda daring, orang yang diblokir',
  shown: 'Yang diketahui orang lain tentang Anda',
  receipts: 'Tanda dibaca',
  receipts_hint:
    'Orang melihat bahwa Anda sudah membaca pesannya. Jika dimatikan, Anda pun tidak melihatnya dari mereka.',
  typing: 'Mengetik',
  typing_hint: 'Orang melihat bahwa Anda sedang mengetik. Jika dimatikan, Anda pun tidak melihatnya dari mereka.',
  presence: 'Siapa yang melihat Anda daring',
  presence_everyone: 'Semua',
  presence_contacts: 'Kontak',
  presence_nobody: 'Tidak ada',
  presence_everyone_hint: 'Setiap orang yang membuka obrolan dengan Anda, juga orang asing yang belum Anda jawab.',
  presence_contacts_hint: 'Orang yang mengobrol dengan Anda, selama obrolan itu mereka buka; orang asing tidak.',
  presence_nobody_hint: 'Tidak ada yang melihatnya, dan Anda tidak melihat kapan orang lain daring.',
  new_chats: 'Di obrolan baru',
  timer: 'Pesan menghilang',
  timer_hint:
    'Untuk obrolan berdua yang Anda mulai sejak sekarang. Orang itu melihatnya dan boleh mengubahnya; grup dan obrolan lama tetap seperti semula.',
  saving: 'Menyimpan…',
  saved: 'Tersimpan',
  load_error: 'Pengaturan tidak dapat dimuat.',

  blocked: 'Diblokir',
  blocked_hint: 'Hanya diketahui di perangkat ini: mereka dan server tidak mengetahuinya.',
  blocked_none: 'Tidak ada yang Anda blokir.',
  block: 'Blokir',
  block_who: (name) => `Blokir ${name}`,
  block_title: (name) => `Blokir ${name}?`,
  block_silent: 'Orang itu tidak mengetahuinya. Pesannya kepada Anda sendiri dibuang tanpa dilihat, untuk selamanya.',
  block_groups:
    'Di grup yang sama Anda tetap saling melihat. Dari grup tempat orang itu menambahkan Anda, Anda langsung keluar.',
  unblock: 'Buka blokir',
  unblock_who: (name) => `Buka blokir ${name}`,
  bar: (name) => `Anda memblokir ${name}. Pesannya tidak sampai kepada Anda.`,

  begins: (span) => `Pesan di obrolan yang Anda mulai hilang setelah ${span}.`,
  begins_here: (span) => `Pesan di obrolan ini hilang setelah ${span}, sesuai keinginan Anda untuk obrolan baru.`,
};
