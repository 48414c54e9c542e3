// Indonesian words of voice messages.
import type { Words } from './index';

export const id: Words = {
  recording: 'Pesan suara',
  started: 'Merekam. Enter mengirim, Escape membuang.',
  paused: 'Dijeda',
  asking: 'Peramban bertanya apakah Kabar boleh mendengar.',
  pause: 'Jeda',
  resume: 'Lanjut merekam',
  discard: 'Buang',
  send: 'Kirim pesan suara',
  slide_cancel: 'Geser untuk batal',
  once: 'Hanya didengar sekali',
  too_short: 'Terlalu singkat. Tahan tombol selagi berbicara, atau ketuk sekali.',
  refused: 'Kabar tidak boleh mendengar. Izinkan di peramban.',
  none: 'Mikrofon tidak ditemukan.',
  busy: 'Mikrofon sedang dipakai program lain.',
  failed: 'Perekaman tidak berhasil.',
};
