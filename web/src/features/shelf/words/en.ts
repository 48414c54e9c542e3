// English words of what a chat holds, and the shape of the others.
export const en = {
  title: 'Media, links and documents',
  media: 'Media',
  links: 'Links',
  documents: 'Documents',
  media_none: 'No pictures or videos yet',
  links_none: 'No links yet',
  documents_none: 'No documents yet',
  none_hint: 'What is sent in this chat is found here, as far as this device has it.',
  more: 'Show older ones',
  in_chat: 'Show in the chat',
  from: (who: string, when: string) => `${who}, ${when}`,
};
