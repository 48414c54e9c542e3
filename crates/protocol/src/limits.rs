//! Every limit of the wire and of content, in one place. Rate limits are the server's (`server/src/limits.rs`).

/// One WebSocket message, either way.
pub const FRAME_BYTES_MAX: usize = 1024 * 1024;
/// One application message on the wire.
pub const CIPHERTEXT_BYTES_MAX: usize = 64 * 1024;
/// A GroupInfo with its ratchet tree, or a Welcome.
pub const HANDSHAKE_BYTES_MAX: usize = 768 * 1024;
/// Text of one message, in Unicode scalar values.
pub const TEXT_CHARS_MAX: usize = 4096;
/// A person's display name, in Unicode scalar values.
pub const NAME_CHARS_MAX: usize = 50;
pub const USERNAME_CHARS_MIN: usize = 3;
pub const USERNAME_CHARS_MAX: usize = 30;
/// E.164: at most 15 digits after the plus.
pub const PHONE_DIGITS_MIN: usize = 7;
pub const PHONE_DIGITS_MAX: usize = 15;

/// Devices an account may have at a time.
pub const DEVICES_PER_ACCOUNT_MAX: usize = 5;
/// Entries of one account's device list.
pub const DEVICE_LIST_ENTRIES_MAX: usize = 1024;
/// Devices in one conversation.
pub const MEMBERS_MAX: usize = 256;
/// Leaves up to which a conversation may use the post-quantum suite (its commits grow with every leaf).
pub const XWING_LEAVES_MAX: usize = 32;

/// Name of a group, and what it is about, in Unicode scalar values.
pub const GROUP_NAME_CHARS_MAX: usize = 100;
pub const GROUP_DESCRIPTION_CHARS_MAX: usize = 2048;
/// A small picture of a group, inside a message.
pub const GROUP_PHOTO_BYTES_MAX: usize = 12 * 1024;
/// Names of members in one message.
pub const KNOWN_NAMES_MAX: usize = MEMBERS_MAX;

/// Links by which people may come into a group by themselves, at a time.
pub const INVITES_MAX: usize = 8;
/// How far ahead a link may expire.
pub const INVITE_LIFETIME_MS_MAX: i64 = 366 * 24 * 3_600_000;
/// Sealed preview of a group, and sealed note of somebody who asks to be let in.
pub const INVITE_PREVIEW_BYTES_MAX: usize = 24 * 1024;
pub const JOIN_NOTE_BYTES_MAX: usize = 1024;
/// People who may be waiting to be let into one group.
pub const JOIN_REQUESTS_MAX: usize = 100;

/// Single-use KeyPackages that the server keeps per device.
pub const KEY_PACKAGES_MAX: u32 = 100;
/// A client publishes more when fewer are left.
pub const KEY_PACKAGES_LOW: u32 = 20;
/// One TLS-encoded KeyPackage.
pub const KEY_PACKAGE_BYTES_MAX: usize = 8 * 1024;

/// How long an unacknowledged queue item is kept.
pub const QUEUE_RETENTION_DAYS: u32 = 30;
/// How long a send is recognised as a repetition; older intents ask the user.
pub const IDEMPOTENCY_RETENTION_DAYS: u32 = 60;

/// Delivery receipts in one Ack.
pub const DELIVERY_RECEIPTS_PER_ACK_MAX: usize = 500;
/// Messages in one FetchCharges.
pub const CHARGES_PER_REQUEST_MAX: usize = 100;
/// Conversations in one FetchReceipts.
pub const RECEIPTS_PER_REQUEST_MAX: usize = 100;
/// Items in one LogPage.
pub const LOG_ITEMS_PER_PAGE_MAX: u32 = 100;
/// Requests of one socket that may be in flight at a time.
pub const REQUESTS_IN_FLIGHT_MAX: usize = 64;

/// One file, without what sealing adds.
pub const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// The same as the server keeps it: filled up by an eighth at most, 16 bytes more per 64 KiB.
pub const FILE_CIPHERTEXT_BYTES_MAX: u64 = FILE_BYTES_MAX + FILE_BYTES_MAX / 8 + FILE_BYTES_MAX / 2048;
/// Unicode scalar values.
pub const FILE_NAME_CHARS_MAX: usize = 240;
pub const FILE_CAPTION_CHARS_MAX: usize = 1024;
/// A small picture of a file, inside its message.
pub const FILE_PREVIEW_BYTES_MAX: usize = 12 * 1024;
pub const FILE_LOCATION_BYTES_MAX: usize = 128;
pub const MIME_TYPE_BYTES_MAX: usize = 127;
/// Samples of loudness of a voice message.
pub const WAVEFORM_SAMPLES_MAX: usize = 100;

/// How long after it was sent a message may be edited, by the server's clock.
pub const EDIT_WINDOW_MS: i64 = 15 * 60_000;
/// How long after it was sent a message may be deleted for everyone.
pub const DELETE_WINDOW_MS: i64 = 48 * 3_600_000;
/// Chats to which a message may be passed on at a time.
pub const FORWARD_CHATS_MAX: usize = 5;
/// A message that was passed on so often goes to one chat at a time.
pub const FORWARDED_OFTEN: u32 = 5;
pub const REACTION_BYTES_MAX: usize = 32;
// Invitations, in Unicode scalar values unless said.
pub const EVENT_TITLE_CHARS_MAX: usize = 120;
pub const EVENT_TEXT_CHARS_MAX: usize = 1024;
pub const EVENT_PLACE_CHARS_MAX: usize = 200;
pub const TIME_ZONE_BYTES_MAX: usize = 64;
/// Guests that one person may bring.
pub const EVENT_GUESTS_MAX: u32 = 20;

pub const POLL_QUESTION_CHARS_MAX: usize = 300;
pub const POLL_OPTIONS_MIN: usize = 2;
pub const POLL_OPTIONS_MAX: usize = 12;
pub const POLL_OPTION_CHARS_MAX: usize = 100;
pub const LOCATION_NAME_CHARS_MAX: usize = 100;
pub const LOCATION_ADDRESS_CHARS_MAX: usize = 200;
/// Cards in one message, and phone numbers or addresses on one card.
pub const CONTACTS_MAX: usize = 10;
pub const CONTACT_NAME_CHARS_MAX: usize = 100;
pub const CONTACT_WAYS_MAX: usize = 5;
pub const CONTACT_PHONE_CHARS_MAX: usize = 32;
pub const EMAIL_CHARS_MAX: usize = 254;
/// People who are spoken to in one message.
pub const MENTIONS_MAX: usize = 50;
/// Members up to whom anybody may speak to all at once; in a larger group, admins.
pub const MENTION_ALL_MEMBERS_MAX: usize = 32;
/// Messages that stand at the top of a thread at a time, and how long at most.
pub const PINS_MAX: usize = 3;
pub const PIN_MS_MAX: i64 = 31 * 24 * 3_600_000;
/// How long messages that disappear may stay.
pub const TIMER_SECONDS_MIN: u32 = 60;
pub const TIMER_SECONDS_MAX: u32 = 366 * 24 * 3600;

// Business messages, in Unicode scalar values unless said; the figures are the Cloud API's.
pub const INTERACTIVE_BODY_CHARS_MAX: usize = 1024;
pub const INTERACTIVE_HEADER_CHARS_MAX: usize = 60;
pub const INTERACTIVE_FOOTER_CHARS_MAX: usize = 60;
pub const REPLY_BUTTONS_MAX: usize = 3;
pub const BUTTON_ID_CHARS_MAX: usize = 256;
pub const BUTTON_TITLE_CHARS_MAX: usize = 20;
pub const LIST_ROWS_MAX: usize = 10;
pub const ROW_ID_CHARS_MAX: usize = 200;
pub const ROW_TITLE_CHARS_MAX: usize = 24;
pub const ROW_DESCRIPTION_CHARS_MAX: usize = 72;
pub const TEMPLATE_BODY_CHARS_MAX: usize = 1024;
pub const TEMPLATE_BUTTONS_MAX: usize = 10;
pub const TEMPLATE_BUTTON_CHARS_MAX: usize = 25;
/// Payload of a template's quick reply, in bytes.
pub const BUTTON_PAYLOAD_BYTES_MAX: usize = 256;
/// Screens of a flow, in bytes: they travel inside one message.
pub const FLOW_JSON_BYTES_MAX: usize = 40 * 1024;
/// Data of one screen or of the answer to it, in bytes.
pub const FLOW_DATA_BYTES_MAX: usize = 16 * 1024;
pub const FLOW_TOKEN_BYTES_MAX: usize = 256;
pub const URL_BYTES_MAX: usize = 2000;
/// How long after a person's last message a business may write freely.
pub const CUSTOMER_SERVICE_WINDOW_MS: i64 = 24 * 3_600_000;

/// Messages of one report to the operator, and bytes of their content in all.
pub const REPORT_MESSAGES_MAX: usize = 10;
pub const REPORT_BYTES_MAX: usize = 256 * 1024;

/// Messages that somebody who comes into a group is shown, where it does so.
pub const HISTORY_MESSAGES_MAX: usize = 100;
