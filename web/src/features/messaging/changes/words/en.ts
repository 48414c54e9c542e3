// English words of what is done to messages, and the shape of the others.
export const en = {
  menu: (what: string) => `Message “${what}”`,
  react: 'React',
  react_with: (emoji: string) => `React with ${emoji}`,
  react_back: (emoji: string) => `Take ${emoji} back`,
  react_more: 'Another emoji',
  reacted: (emoji: string, who: string) => `${emoji} from ${who}`,
  forward: 'Forward',
  forwarded: 'Forwarded',
  forwarded_often: 'Forwarded many times',
  edit: 'Edit',
  delete: 'Delete for everyone',
  info: 'Who has it',
  report: 'Report',
  versions: 'Earlier versions',
  version_now: 'Now',
  version_until: (moment: string) => `Written ${moment}`,
  delete_title: 'Delete for everyone?',
  delete_hint: (name: string) =>
    `The message goes from this device and, as soon as it is reached, from that of ${name}. Somebody may have read or kept it before.`,
  delete_hint_group:
    'The message goes from this device and, as soon as they are reached, from those of all members. Somebody may have read or kept it before.',
  delete_hint_admin: 'Everybody sees that it was you who deleted it, as an admin.',
  delete_event_hint: 'The invitation and all answers go. To call the event off and say so, cancel it instead.',
  delete_yes: 'Delete',

  emoji_title: 'React',
  emoji_search: 'Search, or type an emoji',
  emoji_none: 'No emoji by that name. You can also type one.',
  emoji_list: 'Emoji',
};
