// Lists of people, as one searches in them. Pure.
import type { GroupMember, GroupRole, Person } from '../../core/contract';
import { handleOf } from '../messaging/person';

/** Those in whose name or handle the text occurs, by name. */
export function matching<P extends Person>(people: readonly P[], text: string, nameOf: (person: P) => string): P[] {
  const wanted = text.trim().replace(/^@/, '').toLocaleLowerCase();
  const fits = (person: P) => `${nameOf(person)} ${handleOf(person)}`.toLocaleLowerCase().includes(wanted);
  return people.filter(fits).sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
}

const RANK: Record<GroupRole, number> = { owner: 0, admin: 1, member: 2 };

/** Owners, admins, then the others; oneself first among one's equals, the rest by name. */
export function inOrder(members: readonly GroupMember[], nameOf: (member: GroupMember) => string): GroupMember[] {
  return [...members].sort(
    (a, b) => RANK[a.role] - RANK[b.role] || Number(b.me) - Number(a.me) || nameOf(a).localeCompare(nameOf(b)),
  );
}
