// English words of voice messages, and the shape of the others.
export const en = {
  recording: 'Voice message',
  started: 'Recording. Enter sends, Escape throws it away.',
  paused: 'Paused',
  asking: 'The browser asks whether Kabar may listen.',
  pause: 'Pause',
  resume: 'Go on recording',
  discard: 'Throw away',
  send: 'Send voice message',
  slide_cancel: 'Slide to cancel',
  once: 'To be heard once',
  too_short: 'Too short. Hold the button while you speak, or tap it once.',
  refused: 'Kabar may not listen. Allow it in the browser.',
  none: 'No microphone was found.',
  busy: 'The microphone is being used by another program.',
  failed: 'It could not be recorded.',
};
