import type { Words } from '.';

export const id: Words = {
  report: 'Laporkan',
  report_who: (name) => `Laporkan ${name}`,
  title: (name) => `Laporkan ${name}`,
  shown_chat:
    'Pengelola server ini melihat yang baru-baru ini ditulisnya kepada Anda, paling banyak 5 pesan, dengan bukti bahwa dialah penulisnya. Selain itu tidak ada dari chat ini yang terlihat, dan ia tidak diberi tahu.',
  shown_message:
    'Pengelola server ini melihat pesan ini, dengan bukti siapa penulisnya. Selain itu tidak ada dari chat ini yang terlihat, dan ia tidak diberi tahu.',
  why: 'Mengapa?',
  spam: 'Iklan yang tidak diminta',
  fraud: 'Penipuan, atau mengaku sebagai orang lain',
  abuse: 'Ancaman, pelecehan, atau kebencian',
  illegal: 'Sesuatu yang melanggar hukum',
  other: 'Lainnya',
  need_why: 'Pilih alasannya.',
  block_too: 'Sekalian blokir',
  send: 'Laporkan',
  done: 'Sudah dilaporkan. Pengelola menentukan selanjutnya.',
  nothing:
    'Tidak ada lagi tulisannya di sini yang masih punya bukti: hanya pesan-pesan terbaru sebuah chat yang dapat dilaporkan.',
};
