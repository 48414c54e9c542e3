// The production build. Nothing may be inlined: the server's Content-Security-Policy (csp.txt) forbids inline script and style.
import { readFileSync } from 'node:fs';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { precache } from './build/precache.js';
import { words } from './build/words.js';

export default defineConfig({
  plugins: [svelte(), words(), precache()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // What the first screen needs comes in one file: many small ones compress worse, each without what the others taught.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'shell', tags: ['$initial'] }] } } },
  },
  worker: { format: 'es' },
  preview: {
    headers: { 'content-security-policy': readFileSync(new URL('csp.txt', import.meta.url), 'utf8').trim() },
    proxy: { '/v1': { target: process.env.KABAR_SERVER ?? 'http://localhost:8080', ws: true, rewriteWsOrigin: true } },
  },
  test: { include: ['src/**/*.test.ts'] },
});
