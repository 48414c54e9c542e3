// Companies for the scripted core: every kind of message that a business sends, answered and not.
import type { Business, Interactive, InteractiveReply, Message, Person, Template } from '../src/core/contract.ts';

/** A message as the script writes it: who, how long ago, and what it shows. */
export type Written = Pick<Message, 'kind' | 'text'> &
  Partial<Pick<Message, 'interactive' | 'interactive_reply' | 'template' | 'ticket' | 'automated'>> & {
    mine?: boolean;
    ago: number;
    /** Answers the message so many before it. */
    answers?: number;
  };

const MINUTE = 60_000;

export function company(id: string, name: string, phone: string, keys_held_by: Business['keys_held_by']): Person {
  return { account_id: id.padEnd(32, '0'), name, business: { name, phone, keys_held_by } };
}

export const coffee = company('c0ffee', 'Kopi Nusantara', '+622155501234', 'operator');
export const bank = company('ba4c', 'Bank Sejahtera Bersama Indonesia', '+622150088000', 'business');
export const clinic = company('c11a1c', 'Klinik Melati', '+62274555021', 'operator');
export const stranger = company('5a1e', 'Promo Kilat', '+6281190001111', 'operator');

function interactive(ago: number, body: string, rest: Partial<Interactive>): Written {
  const shown = { header: null, footer: null, action: null, ...rest, body };
  return { kind: 'interactive', text: body, interactive: shown, automated: true, ago: ago * MINUTE };
}

function template(ago: number, body: string, rest: Partial<Template>): Written {
  const shown = { name: 'contoh', language: 'id', header: null, footer: null, buttons: [], ...rest, body };
  return { kind: 'template', text: body, template: shown, automated: true, ago: ago * MINUTE };
}

function picked(ago: number, answers: number, reply: NonNullable<InteractiveReply['reply']>): Written {
  const title = 'flow' in reply ? reply.flow.body : ('button' in reply ? reply.button : reply.list).title;
  return {
    kind: 'interactive_reply',
    text: title,
    interactive_reply: { reply },
    mine: true,
    ago: ago * MINUTE,
    answers,
  };
}

const beans = {
  button: 'Lihat pilihan',
  sections: [
    {
      title: 'Biji kopi',
      rows: [
        { id: 'gayo', title: 'Gayo, 250 gram', description: 'Aceh; cokelat dan rempah, disangrai kemarin. Rp85.000' },
        { id: 'toraja', title: 'Toraja, 250 gram', description: 'Sulawesi; tebal, sedikit asam. Rp92.000' },
        { id: 'kintamani', title: 'Kintamani, 250 gram', description: null },
      ],
    },
    { title: 'Alat', rows: [{ id: 'v60', title: 'Corong V60', description: 'Keramik putih' }] },
  ],
};

export const scripts: [Person, Written[]][] = [
  [
    coffee,
    [
      template(
        180,
        'Halo Rani, pesanan 1042 sudah kami serahkan kepada kurir.\n\nPerkiraan tiba: besok, pukul 09.00 sampai 12.00.',
        {
          header: 'Pesanan Anda dalam perjalanan',
          footer: 'Kopi Nusantara, Jakarta',
          buttons: [
            { text: 'Lacak kiriman', action: { url: 'https://lacak.kopi-nusantara.example/1042?dari=kabar' } },
            { text: 'Terima kasih', action: { payload: 'THANKS' } },
            { text: 'Ubah jadwal', action: { payload: 'RESCHEDULE' } },
          ],
        },
      ),
      picked(175, 1, { button: { id: 'RESCHEDULE', title: 'Ubah jadwal' } }),
      interactive(174, 'Kapan sebaiknya kurir datang?', {
        footer: 'Balas sebelum pukul 20.00',
        action: {
          buttons: {
            buttons: [
              { id: 'pagi', title: 'Besok pagi' },
              { id: 'sore', title: 'Besok sore' },
              { id: 'lusa', title: 'Lusa' },
            ],
          },
        },
      }),
      { kind: 'text', text: 'Boleh dititipkan ke tetangga juga?', mine: true, ago: 100 * MINUTE },
      {
        kind: 'text',
        text: 'Boleh, Kak. Saya Dewi dari bagian pengiriman; tulis saja nomor rumahnya.',
        ago: 90 * MINUTE,
      },
      interactive(30, 'Sambil menunggu:\n• sangrai baru minggu ini\n• ongkos kirim gratis', {
        header: 'Kopi minggu ini',
        action: { list: beans },
      }),
      interactive(20, 'Cara menyeduh yang kami sukai ada di sini.', {
        action: { cta_url: { display_text: 'Baca caranya', url: 'https://kopi-nusantara.example/seduh' } },
      }),
    ],
  ],
  [
    bank,
    [
      interactive(400, 'Apa yang dapat kami bantu?', { action: { list: beans } }),
      picked(399, 1, { list: { id: 'v60', title: 'Corong V60', description: 'Keramik putih' } }),
      { kind: 'unsupported', ago: 398 * MINUTE, automated: true },
    ],
  ],
  [clinic, []],
  [
    stranger,
    [
      template(10, 'Diskon sampai 70 persen, hanya hari ini!', {
        buttons: [
          { text: 'Belanja sekarang', action: { url: 'https://promo.example/kilat' } },
          { text: 'Berhenti', action: { payload: 'STOP' } },
        ],
      }),
    ],
  ],
];
