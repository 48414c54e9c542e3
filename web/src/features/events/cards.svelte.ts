// What shows invitations: fetched with the first one, at hand from then on.
class EventCards {
  parts: typeof import('./parts') | undefined = $state.raw();

  async fetch(): Promise<void> {
    this.parts ??= await import('./parts');
  }
}

export const eventCards = new EventCards();
