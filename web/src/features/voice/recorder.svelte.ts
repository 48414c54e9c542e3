// Records from the microphone. What it holds is let go of as soon as nobody records any more: a browser shows that it listens.
import { levelOf } from './peaks';

/** The first that a browser writes. */
const TYPES = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/mp4'];
/** Speech, in good quality. */
const BITS_PER_SECOND = 32_000;
const SAMPLE_MS = 50;
const SAMPLES = 1024;
/** Nobody means to say more; a recording that was forgotten ends. */
const RECORDING_MS_MAX = 60 * 60_000;

export interface Recording {
  body: Blob;
  /** Without parameters. */
  mime_type: string;
  duration_ms: number;
  levels: readonly number[];
}

export class Recorder {
  state: 'asking' | 'recording' | 'paused' | 'ended' = $state('asking');
  elapsed = $state(0);
  /** One for every SAMPLE_MS that was recorded. */
  levels: number[] = $state.raw([]);
  #stream: MediaStream | undefined;
  #recorder: MediaRecorder | undefined;
  #context: AudioContext | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #parts: Blob[] = [];
  #ended = false;

  /** Rejects with the browser's own error, by whose name one knows why. */
  async begin(): Promise<void> {
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    this.#stream = stream;
    if (this.#ended) return this.#release();
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    const recorder = new MediaRecorder(stream, {
      audioBitsPerSecond: BITS_PER_SECOND,
      ...(mimeType && { mimeType }),
    });
    this.#recorder = recorder;
    recorder.ondataavailable = ({ data }) => {
      if (data.size > 0) this.#parts.push(data);
    };
    // The microphone was taken away: what there is of it can be sent.
    recorder.onstop = () => this.#stopped();
    this.#listen(stream);
    recorder.start();
    this.state = 'recording';
  }

  pause(): void {
    if (this.state !== 'recording') return;
    this.#recorder?.pause();
    this.state = 'paused';
  }

  resume(): void {
    if (this.state !== 'paused') return;
    this.#recorder?.resume();
    this.state = 'recording';
  }

  /** Ends it, and gives what was recorded; nothing if nothing was. */
  async end(): Promise<Recording | undefined> {
    const recorder = this.#recorder;
    if (recorder && recorder.state !== 'inactive') {
      const stopped = new Promise((resolve) => recorder.addEventListener('stop', resolve, { once: true }));
      recorder.stop();
      await stopped;
    }
    this.drop();
    if (!recorder || this.#parts.length === 0) return undefined;
    const mime_type = recorder.mimeType.split(';')[0] || 'audio/webm';
    const body = new Blob(this.#parts, { type: mime_type });
    return { body, mime_type, duration_ms: Math.round(this.elapsed), levels: this.levels };
  }

  drop(): void {
    this.#ended = true;
    if (this.#recorder && this.#recorder.state !== 'inactive') this.#recorder.stop();
    this.#stopped();
  }

  #stopped(): void {
    clearInterval(this.#timer);
    this.state = 'ended';
    this.#release();
  }

  #release(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = undefined;
    this.#context?.close().catch(() => undefined);
    this.#context = undefined;
  }

  #listen(stream: MediaStream): void {
    const context = new AudioContext();
    this.#context = context;
    // Some browsers begin silent when the permission was asked for in between.
    context.resume().catch(() => undefined);
    const analyser = context.createAnalyser();
    analyser.fftSize = SAMPLES;
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(SAMPLES);
    let before = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      const passed = now - before;
      before = now;
      if (this.state !== 'recording') return;
      this.elapsed += passed;
      analyser.getFloatTimeDomainData(samples);
      const level = levelOf(samples);
      // A tab out of sight is woken seldom: what it slept through was as loud as what it wakes to.
      const steps = Math.max(1, Math.round(passed / SAMPLE_MS));
      this.levels = [...this.levels, ...new Array<number>(steps).fill(level)];
      if (this.elapsed >= RECORDING_MS_MAX) this.pause();
    }, SAMPLE_MS);
  }
}
