// A sound or film of which one knows how long it is. What a browser has recorded itself does not say so at its beginning: its end
// is looked for once, and from then on one can go anywhere in it.

export type Playable = HTMLMediaElement;

/** Beyond the end of everything. */
const FAR_S = 1e7;
const PATIENCE_MS = 10_000;

/** Rejects if the browser cannot play it. */
export async function settled<E extends Playable>(element: E, url: string): Promise<E> {
  element.preload = 'auto';
  const there = once(element, 'loadedmetadata');
  element.src = url;
  await there;
  if (Number.isFinite(element.duration)) return element;
  const found = once(element, 'durationchange');
  element.currentTime = FAR_S;
  await found;
  const back = once(element, 'seeked');
  element.currentTime = 0;
  await back;
  return element;
}

export function once(element: Playable, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = new AbortController();
    const timer = setTimeout(() => done(new Error('it takes too long')), PATIENCE_MS);
    function done(error?: Error): void {
      clearTimeout(timer);
      end.abort();
      if (error) reject(error);
      else resolve();
    }
    element.addEventListener(event, () => done(), { signal: end.signal });
    element.addEventListener('error', () => done(new Error(element.error?.message ?? 'it cannot be played')), {
      signal: end.signal,
    });
  });
}
