// Indonesian words of cards of people.
import type { Words } from './index';

export const id: Words = {
  new_title: (name) => `Kontak untuk ${name}`,
  from: 'Dari mana',
  from_chats: 'Dari obrolan saya',
  from_hand: 'Tulis sendiri',
  find: 'Cari menurut nama',
  none: 'Anda belum punya obrolan dengan siapa pun.',
  unmatched: 'Tidak ada yang bernama begitu di obrolan Anda.',
  pick_hint: (most) => `Paling banyak ${most} orang. Penerima kartu dapat menulis kepada mereka.`,
  need_pick: 'Pilih paling sedikit satu orang.',
  name: 'Nama',
  organization: 'Perusahaan atau organisasi (opsional)',
  phone: 'Nomor telepon',
  email: 'Surel',
  need_name: 'Tulis kartu ini milik siapa.',
  need_way: 'Tulis nomor telepon atau alamat surel.',
  bad_phone: 'Nomor terdiri dari angka, misalnya +62 812 3456 7890.',
  bad_email: 'Alamat berbentuk seperti ani@example.com.',
  too_long: 'Terlalu panjang.',
  send: 'Kirim kontak',
  send_all: (count) => `Kirim ${count} kontak`,

  here: 'Di server ini',
  call: (number) => `Telepon ${number}`,
  mail: (address) => `Tulis ke ${address}`,
  message: 'Kirim pesan',
  message_to: (name) => `Kirim pesan ke ${name}`,
  yourself: 'Ini Anda',
  save: 'Simpan sebagai berkas',
};
