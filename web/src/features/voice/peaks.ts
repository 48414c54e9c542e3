// Loudness as it is drawn: from what a microphone gives to at most a hundred bytes, and from those to bars. Pure.

export const WAVEFORM_BYTES_MAX = 100;
/** What is softer counts as silence. */
const FLOOR_DB = -60;
/** A room in which nobody speaks is not blown up to fill the height. */
const CEILING_MIN = 0.35;

/** 0 to 1, as an ear has it, of one moment's samples between -1 and 1. */
export function levelOf(samples: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i += 1) sum += (samples[i] ?? 0) ** 2;
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  if (rms <= 0) return 0;
  return Math.min(1, Math.max(0, 1 - (20 * Math.log10(rms)) / FLOOR_DB));
}

/** As many values as asked for, or fewer if there are fewer; each the greatest of those it stands for. */
export function thinned(levels: ArrayLike<number>, most: number): number[] {
  const count = Math.min(most, levels.length);
  return Array.from({ length: count }, (_, i) => {
    const end = Math.max(Math.floor((i * levels.length) / count) + 1, Math.floor(((i + 1) * levels.length) / count));
    let peak = 0;
    for (let at = Math.floor((i * levels.length) / count); at < end; at += 1) peak = Math.max(peak, levels[at] ?? 0);
    return peak;
  });
}

/** What a message says of a recording. */
export function waveformOf(levels: readonly number[]): Uint8Array {
  const thin = thinned(levels, WAVEFORM_BYTES_MAX);
  const ceiling = Math.max(CEILING_MIN, ...thin);
  return Uint8Array.from(thin, (level) => Math.round((level / ceiling) * 255));
}

/** A path of upright strokes around the middle of a box that is `height` high; each takes `step` of its width. */
export function strokesOf(values: readonly number[], height: number, step: number): string {
  const least = 1;
  return values
    .map((value, i) => {
      const half = Math.max(least, Math.min(1, value) * (height / 2 - 1));
      return `M${((i + 0.5) * step).toFixed(1)} ${(height / 2 - half).toFixed(1)}v${(2 * half).toFixed(1)}`;
    })
    .join('');
}

/** The values to draw: those of a message, or a low even line where it has none. */
export function barsOf(waveform: Uint8Array, count: number): number[] {
  if (waveform.length === 0) return new Array<number>(count).fill(0);
  const values = Array.from(waveform, (byte) => byte / 255);
  if (values.length >= count) return thinned(values, count);
  return Array.from({ length: count }, (_, i) => values[Math.floor((i * values.length) / count)] ?? 0);
}
