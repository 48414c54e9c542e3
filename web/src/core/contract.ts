// The contract of crates/core/src/api as TypeScript: what a page may ask of the core, and what it is told.
// Change both together. Times are milliseconds since the Unix epoch, ids lower-case hex.

import type { Interactive, InteractiveReply, Template } from './business';
import type {
  GroupCommand,
  GroupSummary,
  GroupView,
  InvitePreview,
  InviteView,
  JoinRequest,
  MessageInfo,
} from './group';

import type { ContactsBody, LocationBody, Mention, Pin, PollBody, Vote } from './kinds';
import type { Privacy, PrivacyAnswers, PrivacyCommand, Seen } from './privacy';

export type * from './business';
export type * from './group';
export type * from './kinds';
export * from './privacy';

export type Command =
  | { type: 'register'; name: string; username?: string | null; invite?: string | null }
  | { type: 'request_phone_code'; phone: string }
  | { type: 'verify_phone'; code: string }
  | { type: 'set_name'; name: string }
  | { type: 'set_username'; username: string | null }
  | { type: 'whoami' }
  | { type: 'open_chat'; who: string }
  | { type: 'list_chats' }
  | { type: 'get_message'; message_id: string }
  | { type: 'list_messages'; conversation_id: string; before: string | null; limit: number }
  | { type: 'send_text'; to: string; text: string; reply_to: string | null; wait?: boolean }
  | {
      type: 'send';
      to: string;
      content:
        | { text: string }
        | { interactive_reply: InteractiveReply }
        | { file: FileBody }
        | { event: EventBody }
        | { poll: PollBody }
        | { location: LocationBody }
        | { contacts: ContactsBody };
      reply_to: string | null;
      /** Of a text, or of a file's caption. */
      mentions?: Mention[];
    }
  | { type: 'change_message'; message_id: string; change: Change; wait?: boolean }
  | { type: 'create_group'; name: string; description: string; members: string[]; large: boolean }
  | { type: 'group'; conversation_id: string; request: GroupCommand }
  /** `link` is whole, or its path. */
  | { type: 'open_invite'; link: string }
  | { type: 'join_group'; link: string }
  | { type: 'message_info'; message_id: string }
  /** null: notifications again. */
  | { type: 'mute'; conversation_id: string; hours: number | null }
  /** What is absent stays; `unread: false` reads all that is in it. */
  | { type: 'arrange'; conversation_id: string; pinned?: boolean; archived?: boolean; unread?: boolean }
  | { type: 'set_draft'; conversation_id: string; text: string }
  /** Messages of all chats in which each word begins a word. */
  | { type: 'search'; text: string; limit: number; before: string | null }
  | { type: 'begin_upload'; size_bytes: number }
  | { type: 'pay'; message_id: string; method: string; challenge_answer: string | null }
  | { type: 'payment'; message_id: string }
  | { type: 'tickets' }
  | { type: 'flow_exchange'; message_id: string; action: 'INIT' | 'data_exchange'; screen: string; data: string }
  | { type: 'resolve_failed'; message_id: string; retry: boolean }
  | { type: 'mark_read'; conversation_id: string; up_to: string; accept?: boolean }
  | { type: 'set_typing'; conversation_id: string; active: boolean }
  /** Keeps it to be found again; known on this device only. */
  | { type: 'star'; message_id: string; starred: boolean }
  /** Newest first. */
  | { type: 'list_starred'; limit: number; before: string | null }
  /** Pictures and films, other files, or texts with links; newest first. */
  | { type: 'list_shelf'; conversation_id: string; shelf: Shelf; limit: number; before: string | null }
  /** To the top of its thread for everybody, for 1 to 744 hours; null takes it down. */
  | { type: 'pin'; message_id: string; hours: number | null }
  /** What is sent from now on vanishes everywhere after so many seconds (60 to 31622400); 0: it stays. */
  | { type: 'set_timer'; conversation_id: string; seconds: number }
  /** What a person can write, to at most FORWARD_CHATS_MAX chats. */
  | { type: 'forward'; message_id: string; to: string[] }
  | { type: 'safety_number'; with: string }
  | { type: 'server_view'; conversation_id: string; limit: number }
  | PrivacyCommand;

export type Reply =
  | { type: 'done' }
  | ({ type: 'registered' } & Me)
  | ({ type: 'me' } & Me)
  | ({ type: 'phone_code' } & PhoneCode)
  | ({ type: 'chat' } & Chat)
  | { type: 'chats'; chats: Chat[] }
  | ({ type: 'message' } & Message)
  | { type: 'messages'; messages: Message[]; more: boolean }
  | { type: 'found'; messages: Found[]; more: boolean }
  | ({ type: 'sent' } & Message)
  | ({ type: 'payment' } & Payment)
  | { type: 'payment_challenge'; prompt: string }
  | { type: 'tickets'; tickets: Ticket[] }
  | { type: 'flow_screen'; screen: string; data: string }
  | ({ type: 'upload' } & UploadRoom)
  | ({ type: 'group' } & GroupView)
  | ({ type: 'invite' } & InviteView)
  | ({ type: 'invite_preview' } & InvitePreview)
  | ({ type: 'join_asked' } & InvitePreview)
  | { type: 'join_requests'; requests: JoinRequest[] }
  | ({ type: 'message_info' } & MessageInfo)
  | { type: 'safety_number'; safety_number: string; with: Person }
  | { type: 'server_view'; items: ServerItem[] }
  | ({ type: 'privacy' } & Privacy);

/** Which reply answers which command. */
export interface Answers extends PrivacyAnswers {
  register: 'registered' | 'me' | 'done';
  request_phone_code: 'phone_code';
  verify_phone: 'me' | 'done';
  set_name: 'me' | 'done';
  set_username: 'me' | 'done';
  whoami: 'me';
  open_chat: 'chat';
  list_chats: 'chats';
  get_message: 'message';
  list_messages: 'messages';
  send_text: 'sent';
  send: 'sent';
  change_message: 'done';
  forward: 'messages';
  star: 'done';
  list_starred: 'found';
  list_shelf: 'messages';
  pin: 'done';
  set_timer: 'done';
  pay: 'payment' | 'payment_challenge';
  payment: 'payment';
  tickets: 'tickets';
  flow_exchange: 'flow_screen';
  create_group: 'group';
  group: 'group' | 'invite' | 'join_requests' | 'done';
  open_invite: 'invite_preview';
  join_group: 'group' | 'join_asked';
  message_info: 'message_info';
  mute: 'chat';
  search: 'found';
  arrange: 'chat';
  set_draft: 'chat';
  begin_upload: 'upload';
  resolve_failed: 'done' | 'sent';
  mark_read: 'done';
  set_typing: 'done';
  safety_number: 'safety_number';
  server_view: 'server_view';
}

export interface PhoneCode {
  phone: string;
  resend_after_s: number;
  expires_after_s: number;
  /** Only from a server that runs with `--dev`. */
  code?: string;
}

export interface Me {
  account_id: string;
  device_id: string;
  name: string;
  username?: string;
  phone?: string;
}

export interface Person {
  account_id: string;
  /** Empty until the first message of this person came. */
  name: string;
  username?: string;
  phone?: string;
  /** Not a person but a company's number. */
  business?: Business;
}

/** What the server says of a business number, known before the first word. */
export interface Business {
  phone: string;
  name: string;
  /** Who can read what is written to it: whoever runs this server, or the business alone. */
  keys_held_by: 'operator' | 'business';
}

export interface Chat {
  conversation_id: string;
  kind: 'direct' | 'business' | 'group';
  /** Whom one talks to. Of a group, its name under the conversation's id. */
  peer: Person;
  group?: GroupSummary;
  /** No notifications until then. */
  muted_until?: number;
  /** Above all that are not. */
  pinned?: boolean;
  /** Out of sight, whatever comes. */
  archived?: boolean;
  /** To be looked at again. */
  marked_unread?: boolean;
  /** A text that is being written. */
  draft?: string;
  /** What stands at the top of the thread, oldest first. */
  pins?: Pin[];
  /** How long what is sent from now on stays; absent: for good. */
  timer_s?: number;
  last: Message | null;
  unread: number;
  /** Unread messages that speak to us, oldest first. */
  mentions?: string[];
  /** A stranger's first messages have not been answered yet. */
  request: boolean;
  safety_changed: boolean;
  /** We do not want to hear from whom this is with. */
  blocked?: boolean;
  /** Of a person. */
  seen?: Seen;
  /** Names of our own under which it is sorted. */
  lists?: string[];
  updated_at: number;
}

export type MessageKind =
  | 'text'
  | 'interactive'
  | 'interactive_reply'
  | 'template'
  | 'ticket'
  | 'file'
  | 'event'
  | 'poll'
  | 'location'
  | 'contacts'
  /** Its sender took it back. */
  | 'deleted'
  | 'notice_safety_changed'
  | 'notice_reset'
  | 'notice_gap'
  /** In a group: what `from` did to it. The text is its name or description, the new role, or the settings. */
  | 'notice_group_created'
  | 'notice_group_name'
  | 'notice_group_description'
  | 'notice_group_photo'
  | 'notice_group_settings'
  | 'notice_added'
  | 'notice_removed'
  | 'notice_left'
  | 'notice_role'
  /** `from` put the message that this replies to at the top, or took it down. */
  | 'notice_pinned'
  | 'notice_unpinned'
  /** The text is for how many seconds messages stay from now on; 0: for good. */
  | 'notice_timer'
  /** `from` has shown who came in the last messages; the text says how many. */
  | 'notice_history'
  | 'unsupported';

export type MessageState = 'queued' | 'failed' | 'sent' | 'delivered' | 'read' | 'received';

export interface Message {
  message_id: string;
  conversation_id: string;
  /** Absent until the server has acknowledged it. Of a notice: that of the message it follows. */
  seq?: number;
  from: Person;
  mine: boolean;
  kind: MessageKind;
  /** Of a notice about people: whom `from` added, removed or promoted; `from` itself where nobody knows who did it. */
  about?: Person[];
  text?: string;
  /** What there is beside the text, under the name of the kind. */
  interactive?: Interactive;
  interactive_reply?: InteractiveReply;
  template?: Template;
  /** What its token says is in the list of tickets. */
  ticket?: { token: string; reference_id: string };
  file?: FileBody;
  event?: EventBody;
  poll?: PollBody;
  location?: LocationBody;
  contacts?: ContactsBody;
  /** Written by a program. */
  automated?: boolean;
  /** How often it was passed on before it came here. */
  forwarded?: number;
  /** Who is spoken to in the text. */
  mentions?: Mention[];
  /** We are among them. */
  mentions_me?: boolean;
  starred?: boolean;
  /** When every device forgets it. */
  expires_at?: number;
  in_reply_to?: string;
  reactions?: Reaction[];
  /** To an event. */
  answers?: Rsvp[];
  votes?: Vote[];
  /** Who has looked at what may be looked at once. */
  opened?: Person[];
  edited_at?: number;
  /** What it said before, oldest first. */
  versions?: { text: string; time: number }[];
  /** The admin of the group who deleted what somebody else had written. */
  deleted_by?: Person;
  time: number;
  state: MessageState;
  /** Why it failed, or why it still waits. */
  error?: ApiError;
}

/** Where what a chat holds is found without its thread. */
export type Shelf = 'media' | 'documents' | 'links';

/** A message that was searched for. */
export interface Found {
  message: Message;
  /** Whom its chat is with. */
  chat: Person;
}

/** What is done to a message that is there. */
export type Change =
  /** One of each person; empty takes it back. */
  | { type: 'react'; emoji: string }
  | { type: 'edit'; content: { text: string } | { event: EventBody } | { poll: PollBody }; mentions?: Mention[] }
  /** For everyone. */
  | { type: 'delete' }
  /** null takes the answer back. */
  | { type: 'rsvp'; answer: RsvpAnswer | null; guests: number }
  /** Indexes of a poll's options; none takes the vote back. */
  | { type: 'vote'; options: number[] }
  /** Looks at a file that may be looked at once: what opens it is forgotten, so its bytes have to be here before. */
  | { type: 'open' };

export type RsvpAnswer = 'going' | 'maybe' | 'no';

export interface Reaction {
  emoji: string;
  by: Person;
  mine: boolean;
}

export interface Rsvp {
  answer: RsvpAnswer;
  guests: number;
  by: Person;
  mine: boolean;
}

/** A file that the server keeps as ciphertext. Bytes are hex. */
export interface FileBody {
  name: string;
  /** As the sender says it: nothing is run because of it. */
  mime_type: string;
  size_bytes: number;
  key: string;
  location: string;
  sha256: string;
  ciphertext_sha256: string;
  /** Empty for none. */
  caption: string;
  /** Of a picture; 0: unknown. */
  width: number;
  height: number;
  /** A small JPEG or WebP; empty for none. */
  preview: string;
  /** Of sound and film. */
  duration_ms?: number;
  /** Recorded to be heard at once. */
  voice?: boolean;
  /** Loudness from its beginning to its end, a byte each, at most 100; hex. */
  waveform?: string;
  /** Of a document. */
  pages?: number;
  /** 16 bytes, the same in all that were sent together. */
  album?: string;
  /** Whoever gets it may look once. */
  view_once?: boolean;
}

/** An invitation. */
export interface EventBody {
  title: string;
  text: string;
  place: string;
  starts_ms: number;
  /** 0: open. */
  ends_ms: number;
  /** Of the place, as the IANA names it. */
  time_zone: string;
  /** That each may bring. */
  guests_max: number;
  canceled: boolean;
}

/** Room for one file at the server, and the key for it. */
export interface UploadRoom {
  upload: string;
  location: string;
  key: string;
  upload_until: number;
  expires_at: number;
}

export interface Payment {
  reference_id: string;
  transaction_id: string;
  status: 'pending' | 'authorised' | 'captured' | 'voided' | 'failed' | 'refunded';
  amount: number;
  currency: string;
}

/** A ticket of ours: readable offline. */
export interface Ticket {
  ticket_id: string;
  conversation_id: string;
  message_id: string;
  issuer: string;
  title: string;
  place: string;
  /** 0: at any time. */
  starts_at: number;
  reference_id: string;
  /** What its QR code holds. */
  token: string;
  /** null: it does not verify under the key that came with it. */
  issuer_key: string | null;
  returned: boolean;
}

export interface ServerItem {
  message: Message;
  sender_device: string;
  class: string;
  bytes: number;
  envelope: string;
}

export type ConnectionState = 'offline' | 'connecting' | 'catching_up' | 'online';
export type RegistrationMode = 'open' | 'invite' | 'closed';

export type Notification =
  | { type: 'connection'; state: ConnectionState; retry_at?: number }
  | { type: 'account'; me: Me | null }
  | { type: 'chat'; chat: Chat }
  | { type: 'message'; message: Message }
  | { type: 'typing'; conversation_id: string; account_id: string; active: boolean }
  /** Somebody asks to be let into a group of ours. */
  | { type: 'join_requested'; conversation_id: string }
  /** Its time was over: it is gone everywhere. */
  | { type: 'vanished'; conversation_id: string; message_id: string }
  /** A payment has changed: a hint, the truth is asked for. */
  | { type: 'payment'; payment: Payment }
  | { type: 'registration'; mode: string }
  | { type: 'trouble'; reason: string; message: string };

export interface ApiError {
  code: string;
  message: string;
  parameter?: string;
  retry_after_ms?: number;
}

/** Limits of crates/protocol/src/limits.rs that a screen has to know. */
export const TEXT_CHARS_MAX = 4096;
export const NAME_CHARS_MAX = 50;
export const USERNAME_CHARS_MAX = 30;
export const FILE_BYTES_MAX = 2 * 1024 ** 3;
export const CAPTION_CHARS_MAX = 1024;
export const PREVIEW_BYTES_MAX = 12 * 1024;
export const EDIT_WINDOW_MS = 15 * 60_000;
export const DELETE_WINDOW_MS = 48 * 3_600_000;
export const EVENT_TITLE_CHARS_MAX = 120;
export const EVENT_TEXT_CHARS_MAX = 1024;
export const EVENT_PLACE_CHARS_MAX = 200;
export const EVENT_GUESTS_MAX = 20;
export const REACTION_BYTES_MAX = 32;
export const FORWARD_CHATS_MAX = 5;
export const FORWARDED_OFTEN = 5;
export const GROUP_NAME_CHARS_MAX = 100;
export const GROUP_DESCRIPTION_CHARS_MAX = 2048;
/** Devices of a group, by the size it was made for. */
export const GROUP_DEVICES_MAX = 32;
export const LARGE_GROUP_DEVICES_MAX = 256;
