// Why a file did not get through, in the person's words.
import { CoreError } from '../../core/link';
import type { Words } from './words';

type Sentence = { [Key in keyof Words]: Words[Key] extends string ? Key : never }[keyof Words];

const byCode: Record<string, Sentence> = {
  unreachable: 'failed_unreachable',
  offline: 'failed_unreachable',
  file_gone: 'failed_gone',
  upload_gone: 'failed_upload_gone',
  file_damaged: 'failed_damaged',
  file_changed: 'failed_changed',
  disk_full: 'failed_server_full',
  device_full: 'failed_device_full',
  file_too_large_here: 'failed_too_large_here',
  media_quota: 'failed_quota',
};
/** Trying again would bring the same. */
const FINAL = new Set(['file_gone', 'file_damaged', 'file_changed', 'file_too_large_here']);

export function why(error: unknown, w: Words): string {
  const known = error instanceof CoreError ? byCode[error.code] : undefined;
  return w[known ?? 'failed'];
}

export function isFinal(error: unknown): boolean {
  return error instanceof CoreError && FINAL.has(error.code);
}
