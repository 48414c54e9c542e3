// Reactions as the thread shows them: one chip for each emoji. Pure.
import { REACTION_BYTES_MAX, type Reaction } from '../../../core/contract';

export const QUICK = ['👍', '❤️', '😂', '😮', '😢', '🙏'] as const;

export interface Chip {
  emoji: string;
  by: Reaction[];
  mine: boolean;
}

/** Most first; among equals in the order in which they came. */
export function chipsOf(reactions: readonly Reaction[]): Chip[] {
  const chips = new Map<string, Chip>();
  for (const reaction of reactions) {
    const chip = chips.get(reaction.emoji) ?? { emoji: reaction.emoji, by: [], mine: false };
    chip.by.push(reaction);
    chip.mine ||= reaction.mine;
    chips.set(reaction.emoji, chip);
  }
  return [...chips.values()].sort((a, b) => b.by.length - a.by.length);
}

const SYMBOL = /^(?:\p{Extended_Pictographic}|\p{Emoji_Presentation}|\p{Regional_Indicator}|[0-9#*]\uFE0F?\u20E3)/u;

/** The one emoji that a text is, if it is one that may be sent as a reaction. */
export function emojiOf(text: string): string | undefined {
  const [first, ...more] = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text.trim());
  if (!first || more.length > 0 || !SYMBOL.test(first.segment)) return undefined;
  return new TextEncoder().encode(first.segment).length <= REACTION_BYTES_MAX ? first.segment : undefined;
}
