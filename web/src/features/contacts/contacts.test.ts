import { describe, expect, it } from 'vitest';
import type { ContactCard } from '../../core/kinds';
import { cardOf, colourOf, mailLink, telLink } from './card';
import { vcardOf } from './vcard';

const ani: ContactCard = {
  name: 'Ani Lestari; Blora, pusat',
  phones: ['+62 812-3456-7890'],
  emails: ['ani@example.com'],
  organization: 'Warung\nAni',
  account_id: '',
};

describe('a card as it is written', () => {
  const draft = { name: ' Ani ', organization: '', phone: '+62 812', email: '' };
  it('becomes one as the core wants it', () => {
    expect(cardOf(draft)).toEqual({ name: 'Ani', organization: '', phones: ['+62 812'], emails: [], account_id: '' });
  });
  it('says what is wrong', () => {
    expect(cardOf({ ...draft, name: ' ' })).toEqual({ field: 'name', fault: 'need_name' });
    expect(cardOf({ ...draft, name: 'x'.repeat(101) })).toEqual({ field: 'name', fault: 'too_long' });
    expect(cardOf({ ...draft, phone: '' })).toEqual({ field: 'phone', fault: 'need_way' });
    for (const phone of ['rumah', '+', 'javascript:1'])
      expect(cardOf({ ...draft, phone }), phone).toEqual({ field: 'phone', fault: 'bad_phone' });
    for (const email of ['ani', 'a b@c', 'a@b@c'])
      expect(cardOf({ ...draft, email }), email).toEqual({ field: 'email', fault: 'bad_email' });
  });
});

describe('the colour of somebody without an account', () => {
  it('is the same for the same name', () => {
    expect(colourOf('Ani')).toBe(colourOf('Ani'));
    for (const name of ['', 'Ani', '😀'.repeat(100)]) expect(colourOf(name), name).toMatch(/^[0-9a-f]{4}$/);
  });
});

describe('links', () => {
  it('hold nothing but the number or the address', () => {
    expect(telLink('+62 812-3456 (7890)')).toBe('tel:+6281234567890');
    expect(telLink('*123#')).toBe('tel:*123%23');
    expect(mailLink('ani@example.com?bcc=x&body=y')).toBe('mailto:ani@example.com%3Fbcc%3Dx%26body%3Dy');
  });
});

describe('a file for address books', () => {
  it('has one card for each, escaped by RFC 6350', () => {
    const text = vcardOf([ani, { ...ani, name: 'Budi', organization: '' }]);
    expect(text).toBe(
      [
        'BEGIN:VCARD',
        'VERSION:4.0',
        'FN:Ani Lestari\\; Blora\\, pusat',
        'ORG:Warung\\nAni',
        'TEL:+62 812-3456-7890',
        'EMAIL:ani@example.com',
        'END:VCARD',
        'BEGIN:VCARD',
        'VERSION:4.0',
        'FN:Budi',
        'TEL:+62 812-3456-7890',
        'EMAIL:ani@example.com',
        'END:VCARD',
        '',
      ].join('\r\n'),
    );
  });
  it('folds a long line', () => {
    const lines = vcardOf([{ ...ani, name: 'é'.repeat(100) }]).split('\r\n');
    for (const line of lines) expect(new TextEncoder().encode(line).length).toBeLessThanOrEqual(75);
    expect(lines[3]).toMatch(/^ é/);
  });
});
