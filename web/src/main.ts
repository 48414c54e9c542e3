import { mount } from 'svelte';
import App from './App.svelte';
import './ui/tokens.css';
import './ui/base.css';
import { startApp } from './app.svelte';
import { i18n } from './i18n/index.svelte';
import { followViewport } from './ui/viewport';

const capable = 'locks' in navigator && typeof WebAssembly === 'object' && 'subtle' in crypto;
const target = document.getElementById('app');

function show(): void {
  followViewport();
  target?.replaceChildren();
  if (target) mount(App, { target, props: { secure: window.isSecureContext, capable } });
  // A file of an older release is gone: the page has to come anew.
  window.addEventListener('vite:preloadError', () => location.reload());
}

/** There are no words to say it with but these. */
function refuse(): void {
  const said = document.createElement('main');
  said.className = 'boot';
  const title = document.createElement('h1');
  title.textContent = 'Kabar';
  said.append(title);
  for (const [language, text] of [
    ['id', 'Aplikasi tidak dapat dimuat. Muat ulang halaman ini.'],
    ['en', 'The app could not be loaded. Load this page again.'],
  ] as const) {
    const line = document.createElement('p');
    line.lang = language;
    line.textContent = text;
    said.append(line);
  }
  target?.replaceChildren(said);
}

// The words are on their way already (public/theme.js), and the core is fetched beside them.
const words = i18n.start();
if (window.isSecureContext && capable) startApp();
void words.then(show, refuse);
