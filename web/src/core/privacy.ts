// The part of the contract that is about what others may see of a person, whom he does not want to hear from, and his own lists:
// crates/core/src/api/privacy.rs and some of command.rs as TypeScript.

export type Audience = 'everyone' | 'contacts' | 'nobody';

/** What one keeps to oneself one is not told of others either. */
export interface Privacy {
  read_receipts: boolean;
  typing: boolean;
  /** Who learns when we are there. */
  presence: Audience;
  /** How long messages stay in chats that we begin; 0: for good. */
  timer_s: number;
}

/** Whether whom one talks to is there. */
export interface Seen {
  here?: boolean;
  /** When he last let this device see him. */
  last?: number;
}

export const REPORT_REASONS = ['spam', 'fraud', 'abuse', 'illegal', 'other'] as const;
export type ReportReason = (typeof REPORT_REASONS)[number];

export type PrivacyCommand =
  /** The screen is looked at, or is not any more. */
  | { type: 'set_here'; here: boolean }
  /** Asks for two minutes whether the other side of a chat is there: `Chat.seen`. */
  | { type: 'watch'; conversation_id: string }
  /** What is absent stays as it is. */
  | ({ type: 'set_privacy' } & Partial<Privacy>)
  /** Shows the operator what one person wrote, with proof; without messages the newest of a chat of two. */
  | { type: 'report'; conversation_id: string; messages: string[]; reason: ReportReason }
  /** What this person writes to us alone is dropped from now on. */
  | { type: 'block'; who: string; blocked: boolean }
  /** At most LISTS_MAX names of at most LIST_NAME_CHARS_MAX; known on this device only. */
  | { type: 'set_lists'; conversation_id: string; lists: string[] };

export interface PrivacyAnswers {
  set_here: 'done';
  watch: 'done';
  set_privacy: 'privacy';
  report: 'done';
  block: 'chat';
  set_lists: 'chat';
}

export const LISTS_MAX = 10;
export const LIST_NAME_CHARS_MAX = 30;
