// English words of reports, and the shape of the others.
export const en = {
  report: 'Report',
  report_who: (name: string) => `Report ${name}`,
  title: (name: string) => `Report ${name}`,
  shown_chat:
    'The operator of this server is shown what they wrote to you lately, at most 5 messages, with proof that they wrote it. Nothing else of the chat, and they do not learn it.',
  shown_message:
    'The operator of this server is shown this message, with proof of who wrote it. Nothing else of the chat, and they do not learn it.',
  why: 'Why?',
  spam: 'Advertising that nobody asked for',
  fraud: 'Fraud, or somebody who claims to be another',
  abuse: 'Threats, harassment or hatred',
  illegal: 'Something illegal',
  other: 'Something else',
  need_why: 'Choose what it is about.',
  block_too: 'Block as well',
  send: 'Report',
  done: 'Reported. The operator decides what follows.',
  nothing:
    'Nothing that they wrote is here any more with its proof: only the newest messages of a chat can be reported.',
};
