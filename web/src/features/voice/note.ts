// A recording as a file that can be sent, and why there is none. Pure.
import { toHex } from '../../core/bytes';
import type { Prepared } from '../../core/messages';
import { waveformOf } from './peaks';
import type { Recording } from './recorder.svelte';

/** Shorter than this is a slip of the finger. */
export const NOTE_MS_MIN = 700;

export function noteOf({ body, mime_type, duration_ms, levels }: Recording, time: Date): Prepared {
  const two = (part: number) => String(part).padStart(2, '0');
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const name = `voice-${day}-${two(time.getHours())}${two(time.getMinutes())}${two(time.getSeconds())}.${endingOf(mime_type)}`;
  const facts = { duration_ms, voice: true, waveform: toHex(waveformOf(levels)) };
  return { body, name, mime_type, width: 0, height: 0, preview: null, redrawn: false, facts };
}

function endingOf(mimeType: string): string {
  return mimeType === 'audio/mp4' ? 'm4a' : (mimeType.split('/')[1] ?? 'bin');
}

/** A pointer that began a recording: where and when it went down, and whether it has gone up before anything could be shown. */
export interface Held {
  x: number;
  y: number;
  at: number;
  released: boolean;
}

export type Fault = 'refused' | 'none' | 'busy' | 'failed';

/** By the names of the Media Capture specification (section 10.2). */
export function faultOf(error: unknown): Fault {
  switch (error instanceof Error ? error.name : '') {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'refused';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'none';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'failed';
  }
}
