// Back to a chat in the list after something was done with it; it may have left the list.
import { tick } from 'svelte';

export async function focusRow(conversation: string): Promise<void> {
  await tick();
  const row = document.querySelector<HTMLElement>(`a[data-chat="${conversation}"]`);
  (row ?? document.querySelector<HTMLElement>('[data-list-focus]'))?.focus();
}
