// Runs before the first paint, so that a chosen theme or language does not flash in late; and asks for the words of that language
// beside the code that will show them, not after it.
(() => {
  // Languages close enough to Indonesian that its catalogue serves better than English.
  const indonesian = /^(id|in|ms|jv|su)\b/i;
  const root = document.documentElement;
  root.lang = navigator.languages.some((tag) => indonesian.test(tag)) ? 'id' : 'en';
  try {
    const theme = localStorage.getItem('kabar.theme');
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
    const language = localStorage.getItem('kabar.language');
    if (language === 'id' || language === 'en') root.lang = language;
  } catch {
    // Storage is switched off: the system's theme and language it is.
  }
  // build/words.js says where they are; without a build nothing does.
  const words = document.currentScript.getAttribute(`data-words-${root.lang}`);
  if (!words) return;
  const link = document.createElement('link');
  link.rel = 'modulepreload';
  link.crossOrigin = '';
  link.href = words;
  document.head.append(link);
})();
