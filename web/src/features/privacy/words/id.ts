// Indonesian words of privacy.
import type { Words } from './index';

export const id: Words = {
  here: 'daring',
  seen_today: (time) => `terlihat hari ini ${time}`,
  seen_yesterday: (time) => `terlihat kemarin ${time}`,
  seen_on: (day) => `terlihat ${day}`,
};
