// The current address. Screens change it with links or `go`; the browser's Back works, and `back` never leaves the app.
import { parseRoute, type Route } from './route';

class Router {
  route: Route = $state.raw(parseRoute(location.hash));
  /** How many of the entries behind us are the app's own. */
  #depth = Number(history.state?.depth ?? 0);

  constructor() {
    window.addEventListener('popstate', () => {
      this.#depth = Number(history.state?.depth ?? this.#depth + 1);
      if (history.state?.depth === undefined) history.replaceState({ depth: this.#depth }, '');
      this.route = parseRoute(location.hash);
    });
  }

  go(path: string): void {
    this.#depth += 1;
    history.pushState({ depth: this.#depth }, '', `#${path}`);
    this.route = parseRoute(location.hash);
  }

  replace(path: string): void {
    history.replaceState({ depth: this.#depth }, '', `#${path}`);
    this.route = parseRoute(location.hash);
  }

  /** One step back if that stays in the app, else to `path`. */
  back(path: string): void {
    if (this.#depth > 0) history.back();
    else this.replace(path);
  }
}

export const router = new Router();
