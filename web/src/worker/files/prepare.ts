// Makes a chosen file ready to be sent. A picture is drawn anew, so that nothing of what the camera wrote into it (place, time,
// device) goes out; a film loses its notes; what moves, and what is neither, goes as it is.
import type { Prepared } from '../../core/messages';
import { withoutNotes } from './boxes';
import { isMoving } from './moving';

const STANDARD_SIDE_MAX = 2048;
const STANDARD_QUALITY = 0.82;
const HD_QUALITY = 0.92;
/** Where a browser cannot draw a picture of any size in its own, it can in this one. */
const HD_SIDE_FALLBACK = 4096;
/** Longest side and quality of the preview: the first that is small enough counts. */
const PREVIEWS: [number, number][] = [
  [320, 0.6],
  [320, 0.4],
  [240, 0.4],
  [160, 0.4],
  [96, 0.3],
];
const PREVIEW_BYTES_MAX = 12 * 1024;
const HEAD_BYTES = 4096;
const TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/;

export async function prepare(file: File, hd: boolean, safeName: (name: string) => string): Promise<Prepared> {
  const plain: Prepared = {
    body: file,
    name: safeName(file.name),
    mime_type: TYPE.test(file.type) && file.type.length <= 127 ? file.type : 'application/octet-stream',
    width: 0,
    height: 0,
    preview: null,
    redrawn: false,
  };
  if (file.type === 'video/mp4' || file.type === 'video/quicktime') {
    const clean = await withoutNotes(file).catch(() => undefined);
    return clean ? { ...plain, body: clean, cleaned: true } : plain;
  }
  if (!file.type.startsWith('image/') || file.type === 'image/svg+xml') return plain;
  // What cannot be drawn here is not passed on as a picture.
  const document = { ...plain, mime_type: 'application/octet-stream' };
  const picture = await createImageBitmap(file).catch(() => undefined);
  if (!picture) return document;
  try {
    const preview = await previewOf(picture);
    const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
    if (isMoving(head)) return { ...plain, width: picture.width, height: picture.height, preview };
    const { blob, width, height } = await redrawn(picture, file.type, hd);
    const name = safeName(named(file.name, blob.type));
    return { body: blob, name, mime_type: blob.type, width, height, preview, redrawn: true };
  } catch {
    return document;
  } finally {
    picture.close();
  }
}

interface Drawn {
  blob: Blob;
  width: number;
  height: number;
}

async function redrawn(picture: ImageBitmap, type: string, hd: boolean): Promise<Drawn> {
  // A photograph has nothing to see through; anything else may.
  const target = type === 'image/jpeg' ? 'image/jpeg' : 'image/webp';
  if (!hd) return drawn(picture, STANDARD_SIDE_MAX, target, STANDARD_QUALITY);
  const lossless = type === 'image/png' ? 'image/png' : target;
  return drawn(picture, Number.POSITIVE_INFINITY, lossless, HD_QUALITY).catch(() =>
    drawn(picture, HD_SIDE_FALLBACK, target, HD_QUALITY),
  );
}

async function drawn(picture: ImageBitmap, sideMax: number, type: string, quality: number): Promise<Drawn> {
  const scale = Math.min(1, sideMax / Math.max(picture.width, picture.height));
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this browser cannot draw it');
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, 0, 0, width, height);
  // Where a type cannot be written, the browser writes a PNG instead and says so.
  return { blob: await canvas.convertToBlob({ type, quality }), width, height };
}

/** So small that it travels in the message; null if that is not possible. */
export async function previewOf(picture: ImageBitmap): Promise<Blob | null> {
  for (const [side, quality] of PREVIEWS) {
    const webp = await drawn(picture, side, 'image/webp', quality);
    if (webp.blob.type === 'image/webp') {
      if (webp.blob.size <= PREVIEW_BYTES_MAX) return webp.blob;
      continue;
    }
    const jpeg = await drawn(picture, side, 'image/jpeg', quality);
    if (jpeg.blob.size <= PREVIEW_BYTES_MAX) return jpeg.blob;
  }
  return null;
}

function named(name: string, type: string): string {
  const ending = { 'image/jpeg': 'jpg', 'image/webp': 'webp', 'image/png': 'png' }[type];
  return ending ? `${name.replace(/\.[^.]*$/, '')}.${ending}` : name;
}
