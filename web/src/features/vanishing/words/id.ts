// Indonesian words of vanishing messages.
import type { Words } from './index';

export const id: Words = {
  title: 'Pesan menghilang',
  off: 'Mati',
  after: (span) => `Setelah ${span}`,
  hint: 'Pesan baru hilang sendiri dari semua perangkat setelah waktu ini. Yang ditulis sebelumnya tetap ada.',
  hint_people: 'Semua orang di sini melihat perubahannya, dan siapa pun masih dapat menyalin yang ada di layarnya.',
  admins: 'Yang boleh mengubah nama dan keterangan dapat mengubah ini.',
  waits: 'Mengubah…',
};
