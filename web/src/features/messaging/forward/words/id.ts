import type { en } from './en';

export const id: typeof en = {
  title: 'Teruskan ke',
  find: 'Cari obrolan',
  none: 'Tidak ada obrolan dengan nama itu.',
  many: (most) => `Paling banyak ${most} obrolan sekaligus.`,
  once: 'Pesan ini sudah sering diteruskan: satu obrolan saja tiap kali.',
  go: (count) => `Teruskan ke ${count} obrolan`,
  pick: 'Pilih obrolan',
};
