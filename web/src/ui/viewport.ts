// Keeps the app as high as what can be seen. Where a keyboard covers the page instead of making it smaller (iOS), the composer
// would otherwise stand behind it.

export function followViewport(): void {
  const { visualViewport } = window;
  if (!visualViewport) return;
  const adjust = () => {
    // Zoomed in by hand, the visible part is small on purpose.
    if (visualViewport.scale > 1.01) return;
    document.documentElement.style.setProperty('--screen', `${visualViewport.height}px`);
    window.scrollTo(0, 0);
  };
  visualViewport.addEventListener('resize', adjust);
}
