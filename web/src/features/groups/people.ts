// Lists of people, as one searches in them. Pure.
import type { Person } from '../../core/contract';
import { handleOf } from '../messaging/person';

/** Those in whose name or handle the text occurs, by name. */
export function matching<P extends Person>(people: readonly P[], text: string, nameOf: (person: P) => string): P[] {
  const wanted = text.trim().replace(/^@/, '').toLocaleLowerCase();
  const fits = (person: P) => `${nameOf(person)} ${handleOf(person)}`.toLocaleLowerCase().includes(wanted);
  return people.filter(fits).sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
}
