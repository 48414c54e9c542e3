// `npm run dev`: the app with hot reload. With KABAR_SERVER=http://localhost:8080 it talks to that server; without, a scripted
// core under dev/ stands in, so that screens can be built and looked at without a server.
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

const server = process.env.KABAR_SERVER;
const scripted = { find: /^.*\/core\/link$/, replacement: fileURLToPath(new URL('./dev/link.ts', import.meta.url)) };

export default defineConfig({
  plugins: [svelte()],
  resolve: { alias: server ? [] : [scripted] },
  worker: { format: 'es' },
  server: server ? { proxy: { '/v1': { target: server, ws: true, rewriteWsOrigin: true } } } : {},
});
