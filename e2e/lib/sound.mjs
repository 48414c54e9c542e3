// Films and sounds as devices make them: a film recorded by the browser of the tests, a sound computed.

/** A film of a ball that rolls over a hill, without sound. Browsers do not write into a WebM how long it is. */
export async function recordFilm(page, { ms = 2200, width = 640, height = 360, type = 'video/webm;codecs=vp8' } = {}) {
  const base64 = await page.evaluate(
    async ([time, w, h, mimeType]) => {
      const canvas = document.createElement('canvas');
      canvas.width = w;
      canvas.height = h;
      const context = canvas.getContext('2d');
      const begin = performance.now();
      const draw = () => {
        const part = (performance.now() - begin) / time;
        context.fillStyle = '#3b2f8f';
        context.fillRect(0, 0, w, h);
        context.fillStyle = '#1d7a5f';
        context.fillRect(0, h * 0.7, w, h * 0.3);
        context.fillStyle = '#f4b740';
        context.beginPath();
        context.arc(w * (0.1 + 0.8 * part), h * 0.6, h * 0.12, 0, 7);
        context.fill();
      };
      draw();
      const timer = setInterval(draw, 40);
      const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType, videoBitsPerSecond: 600_000 });
      const parts = [];
      recorder.ondataavailable = ({ data }) => parts.push(data);
      const stopped = new Promise((resolve) => recorder.addEventListener('stop', resolve));
      recorder.start();
      await new Promise((resolve) => setTimeout(resolve, time));
      recorder.stop();
      await stopped;
      clearInterval(timer);
      const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
      let text = '';
      for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
      return btoa(text);
    },
    [ms, width, height, type],
  );
  return Buffer.from(base64, 'base64');
}

/** An MP4 as a phone makes it, with `note` in a box of its own (ISO/IEC 14496-12). */
export function withNote(mp4, note) {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + note.length);
  head.write('udta', 4);
  return Buffer.concat([mp4, head, Buffer.from(note)]);
}

/** A WAV (PCM, 16 bits, one channel) of a tone that swells and fades. */
export function tone(seconds = 3, rate = 8000) {
  const count = seconds * rate;
  const data = Buffer.alloc(44 + count * 2);
  data.write('RIFF', 0);
  data.writeUInt32LE(36 + count * 2, 4);
  data.write('WAVEfmt ', 8);
  data.writeUInt32LE(16, 16);
  data.writeUInt16LE(1, 20);
  data.writeUInt16LE(1, 22);
  data.writeUInt32LE(rate, 24);
  data.writeUInt32LE(rate * 2, 28);
  data.writeUInt16LE(2, 32);
  data.writeUInt16LE(16, 34);
  data.write('data', 36);
  data.writeUInt32LE(count * 2, 40);
  for (let i = 0; i < count; i += 1) {
    const swell = Math.sin((Math.PI * i) / count);
    data.writeInt16LE(Math.round(12_000 * swell * Math.sin((2 * Math.PI * 440 * i) / rate)), 44 + i * 2);
  }
  return data;
}
