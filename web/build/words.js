// Tells public/theme.js where the words of each language are: attributes data-words-id and data-words-en of its script element. The
// budget (xtask/src/budget.rs) reads them too.
const LANGUAGES = ['id', 'en'];
const SCRIPT = '<script src="/theme.js"';

export function words() {
  return {
    name: 'kabar-words',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle }) {
        const attributes = LANGUAGES.map((language) => {
          const ending = `/src/i18n/${language}.ts`;
          const chunk = Object.values(bundle).find(({ facadeModuleId }) => facadeModuleId?.endsWith(ending));
          if (!chunk) throw new Error(`no chunk of its own for ${ending}`);
          return ` data-words-${language}="/${chunk.fileName}"`;
        });
        if (!html.includes(SCRIPT)) throw new Error(`index.html does not have ${SCRIPT}`);
        return html.replace(SCRIPT, SCRIPT + attributes.join(''));
      },
    },
  };
}
