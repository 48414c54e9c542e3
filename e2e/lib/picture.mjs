// Pictures as cameras make them: drawn by the browser of the tests, with a place written into them afterwards.

/** Latitude and longitude as a camera writes them: 7° 48' 5.24" S, 110° 21' 52.43" E. */
export const PLACE = 'GPS-place-of-the-test';

/** A JPEG of many colours, so large that it has to be made smaller. */
export async function drawPicture(page, width = 3000, height = 2000) {
  const base64 = await page.evaluate(
    async ([w, h]) => {
      const canvas = new OffscreenCanvas(w, h);
      const context = canvas.getContext('2d');
      const sky = context.createLinearGradient(0, 0, 0, h);
      sky.addColorStop(0, '#3b2f8f');
      sky.addColorStop(0.55, '#f4b740');
      sky.addColorStop(1, '#1d7a5f');
      context.fillStyle = sky;
      context.fillRect(0, 0, w, h);
      context.fillStyle = '#fffdfa';
      context.beginPath();
      context.arc(w * 0.68, h * 0.42, h * 0.12, 0, 7);
      context.fill();
      context.fillStyle = '#131219';
      for (let i = 0; i < 9; i += 1) {
        context.beginPath();
        context.moveTo(w * (i / 8 - 0.1), h * 0.8);
        context.lineTo(w * (i / 8), h * (0.45 + 0.12 * (i % 3)));
        context.lineTo(w * (i / 8 + 0.1), h * 0.8);
        context.fill();
      }
      const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.9 });
      const bytes = new Uint8Array(await blob.arrayBuffer());
      let text = '';
      for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
      return btoa(text);
    },
    [width, height],
  );
  return withPlace(Buffer.from(base64, 'base64'));
}

/** Puts an EXIF segment (TIFF 6.0 within APP1) with a GPS directory behind the start of a JPEG. */
export function withPlace(jpeg) {
  const exif = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff()]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(exif.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, exif, jpeg.subarray(2)]);
}

function tiff() {
  // Header, IFD0 with one entry (the GPS directory), the GPS directory, then the values that do not fit into their entries.
  const gps = 8 + 2 + 12 + 4;
  const entries = [
    [1, 2, 2, Buffer.from('S\0\0\0')],
    [2, 5, 3, rationals([7, 48, 524 / 100])],
    [3, 2, 2, Buffer.from('E\0\0\0')],
    [4, 5, 3, rationals([110, 21, 5243 / 100])],
    [28, 7, PLACE.length, Buffer.from(PLACE)],
  ];
  let values = gps + 2 + entries.length * 12 + 4;
  const rows = [];
  const heap = [];
  for (const [tag, type, count, value] of entries) {
    const row = Buffer.alloc(12);
    row.writeUInt16BE(tag, 0);
    row.writeUInt16BE(type, 2);
    row.writeUInt32BE(count, 4);
    if (value.length <= 4) value.copy(row, 8);
    else {
      row.writeUInt32BE(values, 8);
      values += value.length;
      heap.push(value);
    }
    rows.push(row);
  }
  const header = Buffer.from('4d4d002a00000008', 'hex');
  const first = Buffer.from('00018825000400000001000000000000000000', 'hex').subarray(0, 18);
  first.writeUInt32BE(gps, 10);
  return Buffer.concat([header, first, short(entries.length), ...rows, Buffer.alloc(4), ...heap]);
}

function rationals(numbers) {
  return Buffer.concat(numbers.map((number) => Buffer.concat([long(Math.round(number * 100)), long(100)])));
}

function short(number) {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(number);
  return bytes;
}

function long(number) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}
