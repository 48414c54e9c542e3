// The Indonesian words of flows.
import type { Words } from '.';

export const id: Words = {
  reply: 'Formulir terkirim',
  from: (name) => `Untuk ${name}`,
  optional: 'opsional',
  choose: 'Pilih…',
  unknown: (kind) => `Versi Kabar ini tidak dapat menampilkan bagian ini (${kind}).`,
  no_footer: 'Layar ini tidak punya tombol untuk lanjut. Sampaikan kepada penjual di obrolan.',
  asking: (name) => `Menunggu ${name}…`,
  sending: 'Mengirim…',
  leave: 'Tutup formulir?',
  leave_hint: 'Yang sudah Anda isi akan hilang.',
  leave_yes: 'Tutup',
  leave_no: 'Lanjut mengisi',

  trouble_endpoint_unreachable: (name) => `${name} sedang tidak dapat dihubungi. Coba lagi sebentar.`,
  trouble_endpoint_failed: (name) => `Ada gangguan di ${name}. Tidak ada yang terkirim; coba lagi.`,
  trouble_token_expired: (name) => `Formulir ini tidak berlaku lagi. Minta yang baru kepada ${name} di obrolan.`,
  trouble_flow_timeout: (name) => `${name} belum menjawab. Coba lagi.`,
  trouble_flow_busy: () => 'Terlalu banyak permintaan sekaligus. Tunggu sebentar.',
  trouble_flow_broken: (name) =>
    `Formulir ini keliru dan tidak dapat dilanjutkan. Sampaikan kepada ${name} di obrolan.`,
  says: (name) => `Kata ${name}`,

  problem: (label, problem) => {
    switch (problem.rule) {
      case 'required':
        return `${label} perlu diisi.`;
      case 'agree':
        return 'Persetujuan Anda diperlukan untuk lanjut.';
      case 'chars':
        if (problem.has > problem.most) return `Paling banyak ${problem.most} huruf; sekarang ${problem.has}.`;
        return `Paling sedikit ${problem.least} huruf; sekarang ${problem.has}.`;
      case 'count':
        if (problem.has > problem.most) return `Pilih paling banyak ${problem.most}; sekarang ${problem.has}.`;
        return `Pilih paling sedikit ${problem.least}; sekarang ${problem.has}.`;
      case 'day':
        if (problem.from && problem.to) return `Pilih hari dari ${problem.from} sampai ${problem.to}.`;
        return problem.from ? `Tidak sebelum ${problem.from}.` : `Tidak sesudah ${problem.to}.`;
      case 'taken':
        return 'Hari itu tidak tersedia. Pilih hari lain.';
      case 'number':
        return 'Tulis angka, misalnya 12.';
      case 'email':
        return 'Tulis alamat surel, misalnya ani@example.com.';
      case 'phone':
        return 'Tulis nomor telepon, paling sedikit 5 angka.';
      default:
        return 'Pilih salah satu yang ada.';
    }
  },

  seat_map: 'Denah',
  seat_list: 'Daftar',
  seat_view: 'Cara menampilkan kursi',
  front: 'Depan',
  row: (label) => `Baris ${label}`,
  seat_free: 'kosong',
  seat_chosen: 'dipilih',
  seat_held: 'sedang ditahan orang lain',
  seat_sold: 'terjual',
  seat_accessible: 'untuk kursi roda',
  free: 'Kosong',
  chosen: 'Pilihan Anda',
  held: 'Ditahan',
  sold: 'Terjual',
  accessible: 'Kursi roda',
  taken_of_row: (sold, held) => [sold && `Terjual: ${sold}`, held && `Ditahan: ${held}`].filter(Boolean).join(' · '),
  seats_none: 'Tidak ada kursi di sini.',
  seats_rule: (least, most) => {
    if (least === most) return `Pilih ${most} kursi.`;
    return least === 0 ? `Pilih sampai ${most} kursi.` : `Pilih ${least} sampai ${most} kursi.`;
  },
  seats_keys: 'Tombol panah berpindah, Spasi memilih.',
  seats_picked: (ids) => (ids.length === 0 ? 'Belum ada kursi dipilih' : `${ids.length} kursi: ${ids.join(', ')}`),
  seats_total: 'Jumlah',
  seats_full: (most) => `Paling banyak ${most} kursi. Lepas satu untuk memilih yang lain.`,
  seats_is_held: (seat) => `${seat} ditahan orang yang sedang membayar.`,
  seats_is_sold: (seat) => `${seat} sudah terjual.`,
  seats_gone: (ids) => `Sudah diambil orang lain: ${ids}.`,
  hold: (clock) => `Kursi ditahan ${clock}`,
  hold_minutes: (minutes) => `Kursi ditahan ${minutes} menit lagi`,
  hold_over: 'Waktunya habis: kursi tidak ditahan lagi untuk Anda.',
  hold_reload: 'Muat kursi lagi',
};
