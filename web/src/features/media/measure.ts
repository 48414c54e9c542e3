// What a film, a sound or a document says of itself, before it goes: how long it is or how many pages it has, and of a film how
// large, and a picture of its beginning. Only a page can play one, so this is not among the worker's jobs.
import type { Prepared } from '../../core/messages';
import { previewOf } from '../../worker/files/prepare';
import { pagesOf } from './pdf';
import { once, settled } from './playable';
import { kindOf } from './shown';

/** The very first picture is often black. */
const POSTER_S = 1;

/** The same with what could be learned of it. What this browser cannot play goes as it is. */
export async function measured(prepared: Prepared): Promise<Prepared> {
  const kind = kindOf(prepared);
  if (prepared.mime_type === 'application/pdf') {
    const pages = await pagesOf(prepared.body).catch(() => undefined);
    return pages ? { ...prepared, facts: { pages } } : prepared;
  }
  if (kind !== 'film' && kind !== 'sound') return prepared;
  const element = document.createElement(kind === 'film' ? 'video' : 'audio');
  element.muted = true;
  const url = URL.createObjectURL(new Blob([prepared.body], { type: prepared.mime_type }));
  try {
    await settled(element, url);
    const facts = { duration_ms: Math.round(element.duration * 1000) };
    if (!(element instanceof HTMLVideoElement)) return { ...prepared, facts };
    const { videoWidth: width, videoHeight: height } = element;
    return { ...prepared, facts, width, height, preview: await posterOf(element).catch(() => null) };
  } catch {
    return prepared;
  } finally {
    element.removeAttribute('src');
    URL.revokeObjectURL(url);
  }
}

async function posterOf(film: HTMLVideoElement): Promise<Blob | null> {
  const there = once(film, 'seeked');
  film.currentTime = Math.min(POSTER_S, film.duration / 4);
  await there;
  const picture = await createImageBitmap(film);
  try {
    return await previewOf(picture);
  } finally {
    picture.close();
  }
}
