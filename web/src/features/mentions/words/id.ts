// Indonesian words of speaking to people.
import type { Words } from './index';

export const id: Words = {
  people: 'Orang yang dapat disebut',
  found: (count) => `${count} orang dapat disebut`,
  all: 'semua',
  all_hint: 'Semua orang di grup',
  message: (name) => `Kirim pesan ke ${name}`,
};
