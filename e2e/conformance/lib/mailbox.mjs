// What has come so far, and a wait for what is still to come: no test polls or sleeps.
const PATIENCE_MS = 20_000;

export class Mailbox {
  #name;
  #looks = new Set();
  items = [];

  /** `name` says in a failure where nothing came. */
  constructor(name) {
    this.#name = name;
  }

  put(item) {
    this.items.push(item);
    for (const look of this.#looks) look();
  }

  /** The first item that fits, now or as soon as it comes. */
  first(fits, what) {
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#looks.delete(look);
        clearTimeout(timer);
      };
      const look = () => {
        const found = this.items.find(fits);
        if (found === undefined) return false;
        done();
        resolve(found);
        return true;
      };
      const timer = setTimeout(() => {
        done();
        const came = this.items.slice(-5).map((item) => JSON.stringify(item)).join('\n  ');
        reject(new Error(`${this.#name}: ${what} did not come within ${PATIENCE_MS / 1000} s; last came\n  ${came || 'nothing'}`));
      }, PATIENCE_MS);
      this.#looks.add(look);
      look();
    });
  }
}
