// Which files are shown as pictures, films and sound, in the list as in a thread. Pure.
import type { FileBody } from '../../core/contract';

/** What a browser draws and nothing else: an SVG can hold scripts, a page is a page. */
const DRAWN = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif']);
/** What a browser plays; a few of these only some do. */
const FILMS = new Set(['video/mp4', 'video/webm', 'video/ogg', 'video/quicktime']);
const SOUNDS = new Set([
  'audio/aac',
  'audio/flac',
  'audio/mp4',
  'audio/mpeg',
  'audio/ogg',
  'audio/wav',
  'audio/webm',
  'audio/x-m4a',
  'audio/x-wav',
]);

export type FileKind = 'picture' | 'film' | 'sound' | 'voice' | 'document';

export function kindOf({ mime_type, voice }: Pick<FileBody, 'mime_type' | 'voice'>): FileKind {
  if (DRAWN.has(mime_type)) return 'picture';
  if (FILMS.has(mime_type)) return 'film';
  if (SOUNDS.has(mime_type)) return voice ? 'voice' : 'sound';
  return 'document';
}

export function isPicture(mimeType: string): boolean {
  return DRAWN.has(mimeType);
}

/** A picture or a film that may be seen again: what fills a bubble. */
export function isSeen(file: Pick<FileBody, 'mime_type' | 'voice' | 'view_once'>): boolean {
  const kind = kindOf(file);
  return !file.view_once && (kind === 'picture' || kind === 'film');
}

/** A type under which bytes do nothing but lie there, unless they are drawn or played. */
export function harmlessType(mimeType: string): string {
  return kindOf({ mime_type: mimeType }) === 'document' ? 'application/octet-stream' : mimeType;
}

/** Minutes and seconds, as a player shows them. */
export function clockOf(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (part: number) => String(part).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
