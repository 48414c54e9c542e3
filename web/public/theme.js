// Runs before the first paint, so that a chosen theme or language does not flash in late.
(() => {
  try {
    const theme = localStorage.getItem('kabar.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
    const language = localStorage.getItem('kabar.language');
    if (language) document.documentElement.lang = language;
  } catch {
    // Storage is switched off: the system's theme it is.
  }
})();
