// Which strokes draw an icon. Those that no first screen has are fetched with the first of them, and kept by the service worker as
// everything else; until then there is an empty square of the same size.
import { paths } from './icons';

type More = typeof import('./icons-more').paths;
export type IconName = keyof typeof paths | keyof More;

class Drawn {
  #more: More | undefined = $state.raw();
  #asked = false;

  strokes(name: IconName): string | undefined {
    if (name in paths) return paths[name as keyof typeof paths];
    if (!this.#asked) void this.#fetch();
    return this.#more?.[name as keyof More];
  }

  async #fetch(): Promise<void> {
    this.#asked = true;
    this.#more = (await import('./icons-more')).paths;
  }
}

export const drawn = new Drawn();
