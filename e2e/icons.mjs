// Draws web/public/icon-192.png and icon-512.png from icon.svg. The PNG fills its square, so that a system may cut it to any shape.
import { readFileSync, writeFileSync } from 'node:fs';
import { launch } from './lib/browser.mjs';

const publicDir = new URL('../web/public/', import.meta.url);
const svg = readFileSync(new URL('icon.svg', publicDir), 'utf8');
const browser = await launch();
for (const side of [192, 512]) {
  const page = await browser.newPage({ viewport: { width: side, height: side } });
  // Inside the safe circle of a maskable icon the mark takes 72 %.
  await page.setContent(
    `<style>body{margin:0;background:#3b2f8f;display:grid;place-items:center;height:100vh}svg{width:82%}</style>${svg}`,
  );
  writeFileSync(new URL(`icon-${side}.png`, publicDir), await page.screenshot());
}
await browser.close();
