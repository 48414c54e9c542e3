// What shows groups in the list and in threads: fetched with the first group, at hand from then on.
import type { Chat, Message } from '../../core/contract';

class GroupCards {
  parts: typeof import('./parts') | undefined = $state.raw();

  async fetch(): Promise<void> {
    this.parts ??= await import('./parts');
  }

  changed(chat: Chat): void {
    if (!chat.group) return;
    if (this.parts) this.parts.groups.changed(chat);
    else void this.fetch();
  }

  /** Nothing that a stranger has chosen. */
  picture({ conversation_id, group, request }: Chat): string | undefined {
    return group && !request ? this.parts?.groups.picture(conversation_id) : undefined;
  }

  received(message: Message): void {
    this.parts?.groups.received(message);
  }

  joinRequested(conversation: string): void {
    void this.parts?.requests.load(conversation);
  }

  forget(): void {
    this.parts?.requests.forget();
    this.parts?.groups.forget();
  }
}

export const groupCards = new GroupCards();
