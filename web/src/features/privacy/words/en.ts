// English words of privacy, and the shape of the others.
export const en = {
  // Under the name of whom one talks to
  here: 'online',
  seen_today: (time: string) => `last seen today ${time}`,
  seen_yesterday: (time: string) => `last seen yesterday ${time}`,
  seen_on: (day: string) => `last seen ${day}`,
};
