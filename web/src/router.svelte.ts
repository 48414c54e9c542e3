// The current address. Screens change it with links or `go`; the browser's Back works, and `back` never leaves the app.
import { parseAddress, type Route } from './route';

class Router {
  route: Route = $state.raw(parseAddress(location));
  /** How many of the entries behind us are the app's own. */
  #depth = Number(history.state?.depth ?? 0);

  constructor() {
    window.addEventListener('popstate', () => {
      this.#depth = Number(history.state?.depth ?? this.#depth + 1);
      // An address that somebody typed, or one of ours that was followed from the path of a link into a group.
      const strayed = location.hash.startsWith('#/') && location.pathname !== '/';
      if (history.state?.depth === undefined || strayed)
        history.replaceState({ depth: this.#depth }, '', strayed ? `/${location.hash}` : undefined);
      this.route = parseAddress(location);
    });
    document.addEventListener('click', (event) => this.#clicked(event));
  }

  /** A link into a group of this server, in what somebody wrote, opens here and not in another tab. */
  #clicked(event: MouseEvent): void {
    const link = (event.target as Element).closest<HTMLAnchorElement>('a[target]');
    if (!link?.pathname.startsWith('/i/') || event.ctrlKey || event.metaKey || event.shiftKey) return;
    // A second person on one computer is at a name under localhost.
    const { host } = link;
    if (host !== location.host && !(link.hostname === 'localhost' && location.host.endsWith(`.${host}`))) return;
    event.preventDefault();
    this.go(link.pathname + link.hash);
  }

  go(path: string): void {
    this.#depth += 1;
    history.pushState({ depth: this.#depth }, '', address(path));
    this.route = parseAddress(location);
  }

  replace(path: string): void {
    history.replaceState({ depth: this.#depth }, '', address(path));
    this.route = parseAddress(location);
  }

  /** One step back if that stays in the app, else to `path`. */
  back(path: string): void {
    if (this.#depth > 0) history.back();
    else this.replace(path);
  }
}

function address(path: string): string {
  return path.startsWith('/i/') ? path : `/#${path}`;
}

export const router = new Router();
