// A concert hall for the scripted core: flows with a seat map that asks its seller, with every component, and with faults.
import type { Command, FlowOffer, Message } from '../src/core/contract.ts';
import { CoreError } from '../src/core/link.ts';
import { company, type Written } from './business.ts';

const MINUTE = 60_000;

export const hall = company('f10e', 'Gedung Kesenian', '+622138412345', 'operator');

const layout = (...children: object[]) => ({ type: 'SingleColumnLayout', children });
const footer = (label: string, action: object) => ({ type: 'Footer', label, 'on-click-action': action });
const navigate = (name: string, payload: object = {}) => ({
  name: 'navigate',
  next: { type: 'screen', name },
  payload,
});

const seats = {
  version: '7.0',
  data_api_version: '3.0',
  routing_model: { KURSI: ['DATA'], DATA: [] },
  screens: [
    {
      id: 'KURSI',
      title: 'Pilih kursi',
      layout: layout(
        { type: 'TextSubheading', text: `\${data.heading}` },
        {
          type: 'SeatMap',
          name: 'seats',
          label: 'Kursi Anda',
          rows: `\${data.rows}`,
          'min-seats': 1,
          'max-seats': `\${data.most}`,
          currency: 'IDR',
          'hold-seconds': `\${data.hold}`,
        },
        footer('Lanjut', { name: 'data_exchange', payload: { seats: `\${form.seats}` } }),
      ),
    },
    {
      id: 'DATA',
      title: 'Data pemesan',
      terminal: true,
      layout: layout(
        { type: 'TextBody', text: `Kursi \${data.named}, atas nama siapa?` },
        { type: 'TextInput', name: 'nama', label: 'Nama', required: true, 'min-chars': 3 },
        {
          type: 'TextInput',
          name: 'surel',
          label: 'Surel',
          'input-type': 'email',
          'helper-text': 'Untuk bukti pesanan',
        },
        { type: 'OptIn', name: 'setuju', label: 'Saya setuju kursi tidak dapat ditukar', required: true },
        footer('Pesan', {
          name: 'complete',
          payload: { seats: `\${screen.KURSI.form.seats}`, nama: `\${form.nama}`, surel: `\${form.surel}` },
        }),
      ),
    },
  ],
};

const workshop = {
  version: '7.0',
  screens: [
    {
      id: 'MINAT',
      title: 'Daftar lokakarya',
      layout: layout(
        { type: 'TextHeading', text: 'Lokakarya batik' },
        { type: 'TextBody', text: `Halo \${data.nama}, isi dulu minat Anda. Hanya dua menit.` },
        {
          type: 'Form',
          name: 'f',
          'init-values': { kelas: 'pagi' },
          children: [
            {
              type: 'RadioButtonsGroup',
              name: 'kelas',
              label: 'Kelas',
              required: true,
              'data-source': [
                { id: 'pagi', title: 'Pagi', description: 'Pukul 09.00 sampai 12.00' },
                { id: 'sore', title: 'Sore', description: 'Pukul 15.00 sampai 18.00' },
                { id: 'malam', title: 'Malam', description: 'Sudah penuh', enabled: false },
              ],
            },
            {
              type: 'CheckboxGroup',
              name: 'alat',
              label: 'Alat yang sudah dipunyai',
              'max-selected-items': 2,
              'data-source': [
                { id: 'canting', title: 'Canting' },
                { id: 'wajan', title: 'Wajan kecil' },
                { id: 'kain', title: 'Kain mori' },
              ],
            },
            {
              type: 'Dropdown',
              name: 'kota',
              label: 'Kota',
              required: true,
              'data-source': [
                { id: 'jkt', title: 'Jakarta' },
                { id: 'jog', title: 'Yogyakarta' },
              ],
            },
            {
              type: 'DatePicker',
              name: 'hari',
              label: 'Hari',
              required: true,
              'min-date': '2026-12-01',
              'max-date': '2026-12-20',
              'unavailable-dates': ['2026-12-12'],
            },
          ],
        },
        { type: 'TextCaption', text: 'Tempat terbatas: dua belas orang tiap kelas.' },
        footer('Lanjut', navigate('DIRI', { kelas: `\${form.kelas}` })),
      ),
    },
    {
      id: 'DIRI',
      title: 'Tentang Anda',
      terminal: true,
      layout: layout(
        { type: 'TextInput', name: 'umur', label: 'Umur', 'input-type': 'number', required: true },
        { type: 'TextInput', name: 'telepon', label: 'Telepon', 'input-type': 'phone' },
        { type: 'TextArea', name: 'catatan', label: 'Catatan', 'max-length': 40 },
        { type: 'OptIn', name: 'kabari', label: 'Kabari saya tentang lokakarya lain' },
        footer('Daftar', {
          name: 'complete',
          payload: {
            kelas: `\${data.kelas}`,
            kota: `\${screen.MINAT.form.kota}`,
            alat: `\${screen.MINAT.form.alat}`,
            umur: `\${form.umur}`,
            catatan: `\${form.catatan}`,
            kabari: `\${form.kabari}`,
          },
        }),
      ),
    },
  ],
};

const later = {
  version: '7.0',
  screens: [
    {
      id: 'A',
      title: 'Survei',
      terminal: true,
      layout: layout(
        { type: 'TextBody', text: 'Bagaimana acara kami?' },
        { type: 'If', condition: `\${data.x}` },
        { type: 'ChipsSelector', name: 'c', label: 'Suka apa?' },
        { type: 'TextInput', name: 'pendapat', label: 'Pendapat' },
        footer('Kirim', { name: 'complete', payload: { pendapat: `\${form.pendapat}` } }),
      ),
    },
  ],
};

function offer(ago: number, body: string, cta: string, flow: object, more: Partial<FlowOffer> = {}): Written {
  const action = {
    flow: {
      flow_id: cta,
      flow_token: `token:${cta}`,
      cta,
      flow_json: JSON.stringify(flow),
      data_exchange: false,
      screen: '',
      data: '',
      ...more,
    },
  };
  const interactive = { header: null, body, footer: null, action };
  return { kind: 'interactive', text: body, interactive, automated: true, ago: ago * MINUTE };
}

export const flows: Written[] = [
  offer(50, 'Bantu kami jadi lebih baik.', 'Isi survei', later),
  offer(40, 'Formulir lama.', 'Buka yang lama', later, { data_exchange: true, flow_token: 'expired' }),
  offer(30, 'Lokakarya batik bulan Desember.', 'Daftar lokakarya', workshop, { data: '{"nama":"Rani"}' }),
  offer(20, 'Gladi bersih: kursi ditahan sebentar saja.', 'Kursi gladi', seats, {
    data_exchange: true,
    flow_token: 'short',
  }),
  offer(10, 'Malam gamelan, Sabtu pukul 19.30.', 'Pilih kursi', seats, { data_exchange: true, flow_token: 'long' }),
];

const SOLD = ['A2', 'B5', 'C3', 'C4', 'E1'];
const HELD = ['B6', 'D7'];
const gone = new Set<string>();

function rows() {
  return ['A', 'B', 'C', 'D', 'E', 'F'].map((label, y) => {
    const seat = (n: number) => {
      const id = `${label}${n}`;
      const state = SOLD.includes(id) || gone.has(id) ? 'sold' : HELD.includes(id) ? 'held' : 'free';
      return {
        id,
        state,
        price: y < 2 ? 15_000_000 : 9_000_000,
        ...(label === 'F' && (n === 1 || n === 8) && { accessible: true }),
      };
    };
    const gap = { state: 'gap' };
    return { label, seats: [seat(1), seat(2), seat(3), seat(4), gap, seat(5), seat(6), seat(7), seat(8)] };
  });
}

let faulty = true;

/** The hall's endpoint: E8 goes to somebody quicker, D1 meets a fault the first time. */
export async function exchange(
  command: Extract<Command, { type: 'flow_exchange' }>,
  messages: readonly Message[],
): Promise<unknown> {
  const refuse = (code: string, message = code): never => {
    throw new CoreError({ code, message });
  };
  const action = messages.find(({ message_id }) => message_id === command.message_id)?.interactive?.action;
  const token = action && 'flow' in action ? action.flow.flow_token : '';
  await new Promise((resolve) => setTimeout(resolve, 700));
  if (token === 'expired') refuse('token_expired', 'Acara ini sudah lewat.');
  const data = {
    heading: 'Malam gamelan, Sabtu 19.30',
    rows: rows(),
    most: 3,
    hold: token === 'short' ? 4 : 300,
    error_message: '',
  };
  const screen = (id: string, shown: object) => ({ type: 'flow_screen', screen: id, data: JSON.stringify(shown) });
  if (command.action === 'INIT') return screen('KURSI', data);
  const { seats: picked } = JSON.parse(command.data) as { seats: string[] };
  if (picked.includes('D1') && faulty) {
    faulty = false;
    refuse('endpoint_unreachable');
  }
  if (picked.includes('E8')) {
    gone.add('E8');
    return screen('KURSI', { ...data, rows: rows(), error_message: 'Kursi E8 baru saja diambil. Pilih yang lain.' });
  }
  return screen('DATA', { named: picked.join(', ') });
}
