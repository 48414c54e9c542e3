// Indonesian words of places.
import type { Words } from './index';

export const id: Words = {
  new_title: (name) => `Lokasi untuk ${name}`,
  here: 'Tempat saya sekarang',
  here_hint: 'Peramban bertanya dulu. Tidak ada yang tahu sebelum Anda mengirim.',
  looking: 'Mencari tahu di mana Anda…',
  about: (metres) => `Tepat sampai sekitar ${metres} m.`,
  refused: 'Peramban tidak mengizinkan. Izinkan lokasi untuk halaman ini di setelannya, atau ketik koordinatnya.',
  unavailable: 'Perangkat ini tidak dapat mengetahui tempatnya. Ketik koordinatnya.',
  timeout: 'Terlalu lama. Coba lagi di tempat terbuka, atau ketik koordinatnya.',
  or: 'atau',
  coordinates: 'Koordinat',
  coordinates_hint: 'Lintang dan bujur, misalnya −6.1754, 106.8272',
  name: 'Ada apa di sana? (opsional)',
  address: 'Alamat (opsional)',
  send: 'Kirim lokasi',
  need_point: 'Ketik lintang dan bujur, misalnya −6.1754, 106.8272.',
  name_long: 'Paling banyak 100 karakter.',
  address_long: 'Paling banyak 200 karakter.',

  open_web: 'OpenStreetMap',
  open_app: 'Aplikasi peta',
  leaves: 'Peta terbuka di luar Kabar, dan pengelolanya mengetahui tempat ini.',
  copy: 'Salin koordinat',
  copied: 'Tersalin',
};
