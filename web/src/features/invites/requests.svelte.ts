// Who asks to be let into groups of ours.
import { SvelteMap } from 'svelte/reactivity';
import type { JoinRequest } from '../../core/contract';
import { explainGroup } from '../groups/explain';
import { groups } from '../groups/groups.svelte';
import { session } from '../session/session.svelte';

class Requests {
  readonly #waiting = new SvelteMap<string, JoinRequest[]>();
  readonly #problems = new SvelteMap<string, string>();

  of(id: string): readonly JoinRequest[] {
    return this.#waiting.get(id) ?? [];
  }

  problem(id: string): string {
    return this.#problems.get(id) ?? '';
  }

  /** Asks the server; without a connection, or without the right to know, what was known stays. */
  async load(id: string): Promise<void> {
    try {
      const request = { type: 'join_requests' } as const;
      const reply = await session.link.request({ type: 'group', conversation_id: id, request });
      if (reply.type === 'join_requests') this.#waiting.set(id, reply.requests);
    } catch {
      // The next news, or the next connection, asks again.
    }
  }

  /** Why it was refused is said by the group, like that of every change. */
  async letIn(id: string, who: string): Promise<void> {
    if (await groups.change(id, { type: 'add', who: [who] })) this.#drop(id, who);
    await this.load(id);
  }

  async decline(id: string, who: string): Promise<void> {
    this.#problems.delete(id);
    try {
      await session.link.request({ type: 'group', conversation_id: id, request: { type: 'decline', who } });
      this.#drop(id, who);
    } catch (error) {
      this.#problems.set(id, explainGroup(error));
    }
    await this.load(id);
  }

  #drop(id: string, who: string): void {
    this.#waiting.set(
      id,
      this.of(id).filter(({ account_id }) => account_id !== who),
    );
  }

  forget(): void {
    this.#waiting.clear();
    this.#problems.clear();
  }
}

export const requests = new Requests();
