// Light, dark, or as the system says. public/theme.js applies the choice before the first paint.
export type ThemeChoice = 'auto' | 'light' | 'dark';

function stored(): ThemeChoice {
  const choice = localStorage.getItem('kabar.theme');
  return choice === 'light' || choice === 'dark' ? choice : 'auto';
}

class Theme {
  choice: ThemeChoice = $state(stored());

  use(choice: ThemeChoice): void {
    this.choice = choice;
    if (choice === 'auto') {
      localStorage.removeItem('kabar.theme');
      delete document.documentElement.dataset['theme'];
    } else {
      localStorage.setItem('kabar.theme', choice);
      document.documentElement.dataset['theme'] = choice;
    }
  }
}

export const theme = new Theme();
