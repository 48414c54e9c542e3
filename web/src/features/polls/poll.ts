// A poll as it is counted, and as it is being written. Pure.
import {
  POLL_OPTION_CHARS_MAX,
  POLL_OPTIONS_MAX,
  POLL_OPTIONS_MIN,
  POLL_QUESTION_CHARS_MAX,
  type PollBody,
  type Vote,
} from '../../core/kinds';
import { charsOf } from '../messaging/text';

export interface Line {
  option: string;
  votes: Vote[];
  /** Of those who have voted, from 0 to 1. */
  share: number;
  /** Nothing has more votes. */
  leads: boolean;
}

export function linesOf({ options }: PollBody, votes: readonly Vote[]): Line[] {
  const counted = options.map((option, i) => ({ option, votes: votes.filter((vote) => vote.options.includes(i)) }));
  const most = Math.max(...counted.map((line) => line.votes.length));
  return counted.map((line) => ({
    ...line,
    share: votes.length > 0 ? line.votes.length / votes.length : 0,
    leads: most > 0 && line.votes.length === most,
  }));
}

/** What is chosen once this option was tapped, in the order that the core wants. */
export function toggled(chosen: readonly number[], option: number, several: boolean): number[] {
  if (!several) return [option];
  const rest = chosen.filter((known) => known !== option);
  return rest.length < chosen.length ? rest : [...rest, option].sort((a, b) => a - b);
}

export interface DraftOption {
  /** Stays when it moves. */
  key: number;
  text: string;
}

export interface Draft {
  question: string;
  options: DraftOption[];
  several: boolean;
}

export function newDraft(): Draft {
  return { question: '', options: grown([]), several: false };
}

/** With one empty option at the end for whoever goes on, as long as there may be one. */
export function grown(options: readonly DraftOption[]): DraftOption[] {
  const all = [...options];
  let key = Math.max(0, ...all.map((option) => option.key));
  const full = () => all.length >= POLL_OPTIONS_MAX;
  while (all.length < POLL_OPTIONS_MIN || (!full() && all.at(-1)?.text.trim())) {
    key += 1;
    all.push({ key, text: '' });
  }
  return all;
}

export function moved(options: readonly DraftOption[], from: number, to: number): DraftOption[] {
  const all = [...options];
  const [option] = all.splice(from, 1);
  if (option) all.splice(Math.min(Math.max(to, 0), all.length), 0, option);
  return grown(all);
}

export type Fault = 'need_question' | 'question_long' | 'need_options' | 'option_long' | 'alike';

/** What is wrong, and with which option; without one it is the question. */
export interface Wrong {
  fault: Fault;
  option?: number;
}

export function pollOf({ question, options, several }: Draft): PollBody | Wrong {
  const asked = question.trim();
  if (!asked) return { fault: 'need_question' };
  if (charsOf(asked) > POLL_QUESTION_CHARS_MAX) return { fault: 'question_long' };
  const texts = options.map(({ text }) => text.trim());
  const long = texts.findIndex((text) => charsOf(text) > POLL_OPTION_CHARS_MAX);
  if (long >= 0) return { fault: 'option_long', option: long };
  const alike = texts.findIndex((text, i) => text !== '' && texts.indexOf(text) < i);
  if (alike >= 0) return { fault: 'alike', option: alike };
  const given = texts.filter(Boolean);
  if (given.length < POLL_OPTIONS_MIN) return { fault: 'need_options', option: texts.indexOf('') };
  return { question: asked, options: given, several, closed: false };
}
