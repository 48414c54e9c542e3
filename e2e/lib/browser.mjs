// The browser of the tests: the system's Chromium, or the one that CHROMIUM names.
import { chromium } from 'playwright-core';

export function launch(...more) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking', '--disable-gpu', ...more],
  });
}
