// English words of vanishing messages, and the shape of the others.
export const en = {
  title: 'Messages vanish',
  off: 'Off',
  after: (span: string) => `After ${span}`,
  hint: 'New messages leave every device by themselves after this time. What was written before stays.',
  hint_people: 'Everybody here sees that it was changed, and nobody is kept from copying what stands on their screen.',
  admins: 'Who may change the name and description can change this.',
  waits: 'Changing…',
};
