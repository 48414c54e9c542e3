import { describe, expect, it } from 'vitest';
import type { Mention } from '../../core/contract';
import { blocksOf, type Inline, spokenOf } from './formatting';
import { isMarked } from './text';

const TAGS = { bold: 'b', italic: 'i', struck: 's' };

/** As if it were written down, to be compared in one line. */
function drawn(inline: Inline): string {
  if ('children' in inline) return `<${TAGS[inline.kind]}>${inline.children.map(drawn).join('')}</>`;
  if (inline.kind === 'code') return `<code>${inline.text}</>`;
  if (inline.kind === 'link') return `<a>${inline.text}</>`;
  return inline.kind === 'mention' ? `<@>${inline.text}</>` : inline.text;
}

function shown(text: string, mentions?: Mention[]): string {
  return blocksOf(text, mentions)
    .map((block) => {
      if (block.kind === 'code') return `<pre>${block.text}</>`;
      if (block.kind === 'list')
        return block.items.map((item) => `<li ${block.from ?? '-'}>${item.map(drawn).join('')}</>`).join('');
      const said = block.children.map(drawn).join('');
      return block.kind === 'quote' ? `<q>${said}</>` : said;
    })
    .join('');
}

describe('marks', () => {
  it('make words bold, italic, struck and code', () => {
    expect(shown('*a b* _c_ ~d~ `e`')).toBe('<b>a b</> <i>c</> <s>d</> <code>e</>');
    expect(shown('(*a*), "_b_"!')).toBe('(<b>a</>), "<i>b</>"!');
  });
  it('stand in each other', () => {
    expect(shown('*a _b ~c~_ d*')).toBe('<b>a <i>b <s>c</></> d</>');
    expect(shown('*_~x~_*')).toBe('<b><i><s>x</></></>');
  });
  it('that cross end where the outer one does', () => {
    expect(shown('*a _b* c_')).toBe('<b>a _b</> c_');
  });
  it('that nobody closed are what they are', () => {
    const none = ['*a', 'a*', '2 * 3 * 4', 'a * b*c', '_', '**', '***', '`a', '``', '` `', '~ a ~', '*a *'];
    for (const text of none) expect(shown(text)).toBe(text);
    expect(shown('*a _b_')).toBe('*a <i>b</>');
    expect(shown('*a\nb*')).toBe('*a\nb*');
  });
  it('within words are letters', () => {
    for (const text of ['snake_case_name', 'a*b*c', '5*6*7', 'x~y~z', 'é_è_é', '𝒳_a_']) expect(shown(text)).toBe(text);
    expect(shown('_snake_case_')).toBe('<i>snake_case</>');
  });
  it('in code are letters', () => {
    expect(shown('`*a* _b_`')).toBe('<code>*a* _b_</>');
    expect(shown('so ```*a*``` it is')).toBe('so <code>*a*</> it is');
    expect(shown('a\n```\nlet *x* = 1;\n  y();\n```\nb *c*')).toBe('a<pre>let *x* = 1;\n  y();</>b <b>c</>');
  });
  it('leave links as they are', () => {
    expect(shown('https://a.example/b_c_d*e*f')).toBe('<a>https://a.example/b_c_d*e*f</>');
    expect(shown('*https://a.example/x*')).toBe('<b><a>https://a.example/x</></>');
    expect(shown('_see https://a.example/x_y z_')).toBe('<i>see <a>https://a.example/x_y</> z</>');
  });
});

describe('lines', () => {
  it('that begin with > are a quote', () => {
    expect(shown('> *a*\n> b\nc')).toBe('<q><b>a</>\nb</>c');
    expect(shown('a > b')).toBe('a > b');
    expect(shown('>a')).toBe('>a');
  });
  it('are items of lists', () => {
    expect(shown('buy:\n- *a*\n- b\n* c\nd')).toBe('buy:<li -><b>a</></><li ->b</><li ->c</>d');
    expect(shown('3. a\n4. b\n- c')).toBe('<li 3>a</><li 3>b</><li ->c</>');
    expect(shown('2026. a\n-b\n1.c')).toBe('2026. a\n-b\n1.c');
  });
  it('that are empty stay', () => {
    expect(shown('a\n\nb *c*')).toBe('a\n\nb <b>c</>');
  });
});

describe('mentions', () => {
  const at = (start: number, length: number): Mention => ({ start, length, account_id: 'a1' });

  it('are counted in scalar values, and marks do not cut them', () => {
    expect(shown('😀 *@Budi_S_*, @Ani', [at(3, 8), at(14, 4)])).toBe('😀 <b><@>@Budi_S_</></>, <@>@Ani</>');
    expect(shown('> 👍🏽 @Budi', [at(5, 5)])).toBe('<q>👍🏽 <@>@Budi</></>');
  });
  it('that are not there are left out', () => {
    expect(shown('a @b', [at(0, 2), at(2, 40)])).toBe('a <@>@b</>');
    expect(shown('a @b', [at(90, 3)])).toBe('a @b');
  });
});

describe('a text', () => {
  it('without a mark is known by a look', () => {
    for (const plain of ['halo', 'a > b', 'a - b', '1.5 kg', 'https://a.example']) expect(isMarked(plain)).toBe(false);
    for (const marked of ['*a*', 'x\n- a', '1. a', '> a']) expect(isMarked(marked)).toBe(true);
  });
  it('is spoken without its marks', () => {
    expect(spokenOf('*Sabtu* jam `7`\n- _tikar_\n- kue')).toBe('Sabtu jam 7\ntikar\nkue');
  });
  it('loses no letter', () => {
    const text = '*a _b* ~c `d` @e_ **f** _g ```h``` i*';
    const letters = (said: string) => said.replace(/<[^>]*>|[*_~`]/gu, '');
    expect(letters(shown(text))).toBe(letters(text));
  });
  it('of nothing but marks is read once', () => {
    const parts = [
      '*',
      '_*~',
      '*a ',
      ' *a',
      '`',
      '` ',
      '```',
      '```a``',
      '> ',
      '- *',
      '*_~a',
      ' *a _b ~c',
      'https://a.bc*',
    ];
    for (const part of parts) {
      const began = performance.now();
      blocksOf(part.repeat(Math.ceil(65_536 / part.length)), [{ start: 60_000, length: 2 }]);
      // Sixteen times the longest message: whatever grows faster than the text would take minutes.
      expect(performance.now() - began, part).toBeLessThan(1500);
    }
  });
});
