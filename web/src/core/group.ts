// The part of the contract that is about groups of people: crates/core/src/api/group.rs as TypeScript.
import type { MessageState, Person } from './contract';

export type GroupRole = 'member' | 'admin' | 'owner';
export type Allowed = 'all' | 'admins';

/** `joining` and `asked`: on the way in by a link. */
export type Standing = 'making' | 'member' | 'left' | 'removed' | 'joining' | 'asked';

/** Of a group, what a list of chats shows. */
export interface GroupSummary {
  members: number;
  /** `making`: the server has not accepted it yet. */
  standing: Standing;
  /** null once we are out. */
  role: GroupRole | null;
  may_post: boolean;
}

export interface GroupView {
  conversation_id: string;
  /** Empty until somebody has said it. */
  name: string;
  description: string;
  /** Hex of a small JPEG or WebP. */
  photo?: string;
  standing: Standing;
  /** Owners first, then admins. */
  members: GroupMember[];
  settings: GroupSettings;
  /** Links that work, as far as this device knows them. */
  invites: InviteView[];
  /** For up to 256 devices instead of 32, without the post-quantum suite. */
  large: boolean;
}

export type GroupMember = Person & { role: GroupRole; me: boolean };
export interface GroupSettings extends Record<'post' | 'add' | 'edit', Allowed> {
  /** Whoever comes in is shown the last messages. */
  history: boolean;
}

/** Replied to once the change is in force. Of a change, what is not given stays. */
export type GroupCommand =
  | { type: 'show' }
  | { type: 'add'; who: string[] }
  | { type: 'remove'; who: string }
  | { type: 'set_role'; who: string; role: GroupRole }
  /** The last owner names a successor. */
  | { type: 'leave'; successor?: string }
  /** The picture as hex of a small JPEG or WebP; empty for none. */
  | { type: 'edit'; name?: string; description?: string; photo?: string }
  /** Makes a link; null: no limit. */
  | { type: 'invite'; hours: number; uses: number | null; approval: boolean }
  /** Whoever came by it stays. */
  | { type: 'uninvite'; code: string }
  /** Who asks to be let in; being added is the yes. */
  | { type: 'join_requests' }
  | { type: 'decline'; who: string }
  | ({ type: 'settings' } & Partial<GroupSettings>);

/** A link into a group. */
export interface InviteView {
  code: string;
  /** What follows the server's address; absent of one that somebody else made. */
  path?: string;
  by: Person;
  expires_at: number;
  /** Of our own; 0: no limit. */
  uses_max: number;
  approval: boolean;
}

/** What a link leads to. All but the numbers is what its maker wrote. */
export interface InvitePreview {
  conversation_id: string;
  name: string;
  description: string;
  /** Hex of a small JPEG or WebP. */
  photo?: string;
  /** What the one who made the link calls himself; may be empty. */
  inviter: string;
  /** By the server's count. */
  members: number;
  expires_at: number;
  approval: boolean;
  /** We are in it already. */
  member: boolean;
}

/** Somebody who asks to be let in. */
export type JoinRequest = Person & { asked_at: number };

/** How far a message of ours has come, with everybody whom it was for. */
export interface MessageInfo {
  message_id: string;
  state: MessageState;
  members: (Person & { state: MessageState })[];
}
