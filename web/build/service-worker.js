// Lets the app open without a network: keeps the files of one release, and answers only for those. It never touches the socket,
// the API or pages that the server makes. build/precache.ts fills in the release and its files.
const release = 'RELEASE';
const files = ['FILES'];
const cacheName = `kabar-${release}`;

self.addEventListener('install', (event) => {
  // 'reload' goes past the HTTP cache: a release must not mix files of two.
  const requests = files.map((file) => new Request(file, { cache: file === '/' ? 'reload' : 'default' }));
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(requests)));
});

self.addEventListener('activate', (event) => {
  const forgetOld = caches
    .keys()
    .then((names) =>
      Promise.all(
        names.filter((name) => name.startsWith('kabar-') && name !== cacheName).map((name) => caches.delete(name)),
      ),
    );
  event.waitUntil(forgetOld.then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  // A link into a group (/i/CODE#SECRET) is a screen of the app.
  const path = event.request.mode === 'navigate' && url.pathname.startsWith('/i/') ? '/' : url.pathname;
  if (event.request.method !== 'GET' || url.origin !== self.location.origin || !files.includes(path)) return;
  event.respondWith(
    caches
      .open(cacheName)
      .then((cache) => cache.match(path))
      .then((cached) => cached ?? fetch(event.request)),
  );
});

// The page asks for this when the person has agreed to load the new version.
self.addEventListener('message', (event) => {
  if (event.data === 'use_now') self.skipWaiting();
});
