// What a scripted core does to messages: as the real one, without its rules.
import type { Change, Message, Person } from '../src/core/contract.ts';

export function changed(message: Message, change: Change, me: Person): Message {
  const own = { by: me, mine: true };
  switch (change.type) {
    case 'react': {
      const others = (message.reactions ?? []).filter(({ mine }) => !mine);
      return { ...message, reactions: change.emoji ? [...others, { emoji: change.emoji, ...own }] : others };
    }
    case 'rsvp': {
      const others = (message.answers ?? []).filter(({ mine }) => !mine);
      const { answer, guests } = change;
      return { ...message, answers: answer ? [...others, { answer, guests, ...own }] : others };
    }
    case 'vote': {
      const others = (message.votes ?? []).filter(({ mine }) => !mine);
      const { options } = change;
      return { ...message, votes: options.length > 0 ? [...others, { options, ...own }] : others };
    }
    case 'edit': {
      if ('poll' in change.content) return { ...message, ...change.content };
      const before = { text: message.text ?? '', time: message.edited_at ?? message.time };
      const text = 'text' in change.content ? change.content.text : change.content.event.title;
      const versions = [...(message.versions ?? []), before];
      return { ...message, ...change.content, text, edited_at: Date.now(), versions };
    }
    case 'open': {
      if (!message.file) return message;
      return { ...message, opened: [me], file: { ...message.file, location: '', key: '' } };
    }
    case 'delete': {
      const { text: _, event: __, file: ___, poll: ____, location: _____, contacts: ______, ...bare } = message;
      return { ...bare, kind: 'deleted', reactions: [], answers: [], versions: [] };
    }
  }
}
