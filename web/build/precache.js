// Writes dist/sw.js: the service worker with the list of everything that the app needs to open without a network.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export function precache() {
  let dist = '';
  return {
    name: 'kabar-precache',
    apply: 'build',
    configResolved(config) {
      dist = join(config.root, config.build.outDir);
    },
    closeBundle() {
      const entries = readdirSync(dist, { recursive: true, withFileTypes: true });
      const files = entries
        .filter((entry) => entry.isFile() && !/^sw\.js|\.(br|txt|map)$/.test(entry.name))
        .map((entry) => relative(dist, join(entry.parentPath, entry.name)))
        .sort();
      const release = createHash('sha256');
      for (const file of files) release.update(file).update(readFileSync(join(dist, file)));
      const paths = files.map((file) => (file === 'index.html' ? '/' : `/${file}`));
      const source = readFileSync(join(import.meta.dirname, 'service-worker.js'), 'utf8')
        .replace("'RELEASE'", JSON.stringify(release.digest('hex').slice(0, 16)))
        .replace("['FILES']", JSON.stringify(paths));
      writeFileSync(join(dist, 'sw.js'), source);
    },
  };
}
