// The app with the scripted core of web/dev, built into a directory of its own and served under the app's own
// Content-Security-Policy: for screens that no server can show yet, or seldom does.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { after, before, describe } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from './browser.mjs';
import { look } from './look.mjs';
import { Person } from './person.mjs';

const web = fileURLToPath(new URL('../../web/', import.meta.url));
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
};

const sizes = {
  desktop: { viewport: { width: 1280, height: 860 } },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};
const faces = [
  { colorScheme: 'light', language: 'id' },
  { colorScheme: 'dark', language: 'en' },
];

/**
 * Plays the same tests in both sizes, themes and languages. `play` gets {size, language, open, look}: `open(more)` opens the app as a new
 * person, `look(person, screen)` keeps `NAME-SCREEN-...` as a picture and looks it over. The browser is there while tests run.
 */
export function onEveryScreen(name, play) {
  const stage = {};
  before(async () => {
    stage.app = await startScripted();
    stage.browser = await launch();
  });
  after(async () => {
    await stage.browser?.close();
    stage.app?.stop();
  });
  for (const [size, options] of Object.entries(sizes)) {
    for (const { colorScheme, language } of faces) {
      const label = `${size}-${colorScheme}-${language}`;
      describe(`${size}, ${colorScheme}, ${language}`, () =>
        play({
          size,
          language,
          open: (more) => Person.open(stage.browser, stage.app.origin, { language, colorScheme, ...options, ...more }),
          look: (person, screen) => look(person, `${name}-${screen}-${label}`, screen),
        }),
      );
    }
  }
  return stage;
}

async function startScripted() {
  const directory = mkdtempSync(join(tmpdir(), 'kabar-scripted-'));
  const vite = join(web, 'node_modules/vite/bin/vite.js');
  const build = ['build', '--config', 'vite.dev.config.js', '--outDir', directory, '--emptyOutDir'];
  execFileSync(process.execPath, [vite, ...build], { cwd: web, stdio: ['ignore', 'ignore', 'inherit'] });
  const policy = readFileSync(join(web, 'csp.txt'), 'utf8').trim();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    // The app asks for its service worker; without a server of its own there is nothing to keep offline.
    if (pathname === '/sw.js') return response.writeHead(200, { 'content-type': types['.js'] }).end();
    const file = join(directory, pathname === '/' ? 'index.html' : normalize(pathname));
    try {
      const body = readFileSync(file);
      response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream', 'content-security-policy': policy });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://localhost:${server.address().port}`,
    stop() {
      server.closeAllConnections();
      server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
