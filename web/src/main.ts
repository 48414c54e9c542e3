import { mount } from 'svelte';
import App from './App.svelte';
import './ui/tokens.css';
import './ui/base.css';
import { startApp } from './app.svelte';
import { i18n } from './i18n/index.svelte';
import { followViewport } from './ui/viewport';

document.documentElement.lang = i18n.language;
const capable = 'locks' in navigator && typeof WebAssembly === 'object' && 'subtle' in crypto;
if (window.isSecureContext && capable) startApp();

followViewport();
const target = document.getElementById('app');
target?.replaceChildren();
if (target) mount(App, { target, props: { secure: window.isSecureContext, capable } });

// A file of an older release is gone: the page has to come anew.
window.addEventListener('vite:preloadError', () => location.reload());
