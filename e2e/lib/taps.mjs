// What a person does with a finger or a key: each touch, and each Enter that sends a line. Letters are not counted, a line is.
//
// Counted in the page by what arrives there, so that nothing in a test is forgotten.

export class Taps {
  #page;
  #taps = [];

  static async count(page) {
    const taps = new Taps();
    taps.#page = page;
    await page.exposeFunction('tapped', (what) => taps.#taps.push(what));
    const listen = () => {
      const name = (node) => (node.closest('button, a, label, input, textarea, [data-seat]') ?? node).textContent.trim().slice(0, 30);
      const listener = (what) => (event) => event.isTrusted && globalThis.tapped(what(event));
      addEventListener('pointerdown', listener((event) => `touch "${name(event.target)}"`), true);
      addEventListener('keydown', (event) => event.key === 'Enter' && listener(() => 'Enter')(event), true);
    };
    await page.addInitScript(listen);
    await page.evaluate(listen);
    return taps;
  }

  /** A field that does not have the cursor takes a touch more. */
  async reach(field) {
    if (!(await field.evaluate((node) => node === document.activeElement))) await field.click();
  }

  async sum() {
    // What has been reported by now is counted.
    await this.#page.evaluate(() => undefined);
    return this.#taps.length;
  }

  list() {
    return this.#taps.join(', ');
  }
}
