// How pictures and films that were sent together share the room of one. Pure.
import { toHex } from '../../core/bytes';

/** What comes behind these is counted on the last of them. */
const TILES_MAX = 4;

export interface Tile {
  /** As high as the whole. */
  tall: boolean;
  /** How many there are behind it. */
  hidden: number;
}

/** In two columns, from above. */
export function tilesOf(count: number): Tile[] {
  const shown = Math.min(count, TILES_MAX);
  return Array.from({ length: shown }, (_, i) => ({
    tall: shown === 2 || (shown === 3 && i === 0),
    hidden: i === TILES_MAX - 1 ? count - TILES_MAX : 0,
  }));
}

/** The name of a new album: 16 random bytes. */
export function newAlbum(bytes: Uint8Array = crypto.getRandomValues(new Uint8Array(16))): string {
  return toHex(bytes);
}
