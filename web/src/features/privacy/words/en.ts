// English words of privacy, and the shape of the others.
export const en = {
  // Under the name of whom one talks to
  here: 'online',
  seen_today: (time: string) => `last seen today ${time}`,
  seen_yesterday: (time: string) => `last seen yesterday ${time}`,
  seen_on: (day: string) => `last seen ${day}`,

  // Settings
  title: 'Privacy',
  title_hint: 'Read receipts, typing, who sees when you are there, blocked people',
  shown: 'What others learn of you',
  receipts: 'Read receipts',
  receipts_hint: 'People see that you have read what they wrote. Switched off, you do not see it of them either.',
  typing: 'Typing',
  typing_hint: 'People see that you are typing to them. Switched off, you do not see it of them either.',
  presence: 'Who sees when you are online',
  presence_everyone: 'Everyone',
  presence_contacts: 'Contacts',
  presence_nobody: 'Nobody',
  presence_everyone_hint: 'Everybody who opens a chat with you sees it, also strangers whom you have not answered.',
  presence_contacts_hint: 'People you chat with see it while they have your chat open; strangers do not.',
  presence_nobody_hint: 'Nobody sees it, and you do not see when others are online.',
  new_chats: 'In new chats',
  timer: 'Messages vanish',
  timer_hint:
    'For chats between two that you begin from now on. The other person sees it and may change it; groups and older chats keep their own.',
  saving: 'Saving…',
  saved: 'Saved',
  load_error: 'The settings could not be loaded.',

  // Blocking
  blocked: 'Blocked',
  blocked_hint: 'Known on this device only: neither they nor the server learn it.',
  blocked_none: 'You have blocked nobody.',
  block: 'Block',
  block_who: (name: string) => `Block ${name}`,
  block_title: (name: string) => `Block ${name}?`,
  block_silent: 'They do not learn it. What they write to you alone is dropped unseen, for good.',
  block_groups:
    'In groups that you are both in you still see each other. Groups to which they add you are left at once.',
  unblock: 'Unblock',
  unblock_who: (name: string) => `Unblock ${name}`,
  bar: (name: string) => `You have blocked ${name}. Nothing they write reaches you.`,

  // Where a chat is begun
  begins: (span: string) => `Messages in chats that you begin vanish after ${span}.`,
  begins_here: (span: string) => `Messages in this chat vanish after ${span}, as you wish for new chats.`,
};
