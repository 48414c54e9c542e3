// Amounts as people read them. On the wire they are whole minor units; how many make one unit is the protocol's to say
// (crates/protocol/src/order.rs, after ISO 4217). Browsers count a rupiah's digits otherwise, so they are not asked.

const DIGITS: Record<string, number> = {
  BIF: 0,
  CLP: 0,
  DJF: 0,
  GNF: 0,
  ISK: 0,
  JPY: 0,
  KMF: 0,
  KRW: 0,
  PYG: 0,
  RWF: 0,
  UGX: 0,
  VND: 0,
  VUV: 0,
  XAF: 0,
  XOF: 0,
  XPF: 0,
  BHD: 3,
  IQD: 3,
  JOD: 3,
  KWD: 3,
  LYD: 3,
  OMR: 3,
  TND: 3,
};

/** Such as Rp50.000; without the part after the comma where that is nothing. */
export function formatAmount(minor: number, currency: string, locale: string): string {
  const digits = DIGITS[currency] ?? 2;
  const unit = 10 ** digits;
  const shown = minor % unit === 0 ? 0 : digits;
  const format = new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    minimumFractionDigits: shown,
    maximumFractionDigits: shown,
  });
  // As it is written in Indonesia: without a gap.
  return format.format(minor / unit).replace(/Rp\s/, 'Rp');
}
