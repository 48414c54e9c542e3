// What somebody may do in a group, by the rules of crates/protocol/src/policy/group.rs. Pure: the core decides, this only spares
// people buttons that would be refused.
import type { GroupMember, GroupView } from '../../core/contract';

export interface Rights {
  inside: boolean;
  add: boolean;
  edit: boolean;
  settings: boolean;
}

export type MemberAct = 'message' | 'make_admin' | 'make_owner' | 'dismiss' | 'step_down' | 'remove';

const isAdmin = (role: GroupMember['role'] | undefined) => role === 'admin' || role === 'owner';

export function rightsOf({ standing, members, settings }: GroupView): Rights {
  const role = members.find(({ me }) => me)?.role;
  const inside = standing === 'member' && role !== undefined;
  return {
    inside,
    add: inside && (isAdmin(role) || settings.add === 'all'),
    edit: inside && (isAdmin(role) || settings.edit === 'all'),
    settings: inside && isAdmin(role),
  };
}

/** What may be done about one member, in the order of a menu. */
export function actsOn(member: GroupMember, { standing, members }: GroupView): MemberAct[] {
  const mine = members.find(({ me }) => me)?.role;
  const owner = mine === 'owner';
  if (standing !== 'member' || !mine) return member.me ? [] : ['message'];
  if (member.me) return mine !== 'member' && !isLastOwner(members) ? ['step_down'] : [];
  const acts: MemberAct[] = ['message'];
  if (member.role === 'member' && isAdmin(mine)) acts.push('make_admin');
  if (member.role !== 'owner' && owner) acts.push('make_owner');
  if (member.role !== 'member' && owner) acts.push('dismiss');
  if (owner || (member.role === 'member' && isAdmin(mine))) acts.push('remove');
  return acts;
}

/** We are its only owner. */
export function isLastOwner(members: readonly GroupMember[]): boolean {
  const owners = members.filter(({ role }) => role === 'owner');
  return owners.length === 1 && owners[0]?.me === true;
}

/** Who could own the group after us, admins first; nobody if there is no need, or nobody to choose from. */
export function heirs(members: readonly GroupMember[]): GroupMember[] {
  if (!isLastOwner(members)) return [];
  const others = members.filter(({ me }) => !me);
  return [...others.filter(({ role }) => role === 'admin'), ...others.filter(({ role }) => role !== 'admin')];
}
