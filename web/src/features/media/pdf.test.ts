import { describe, expect, it } from 'vitest';
import { pagesOf } from './pdf';

const blob = (...parts: BlobPart[]) => new Blob(parts);

async function deflated(text: string): Promise<ArrayBuffer> {
  return new Response(new Blob([text]).stream().pipeThrough(new CompressionStream('deflate'))).arrayBuffer();
}

describe('the pages of a PDF', () => {
  it('are counted at the root of its tree', async () => {
    const plain =
      '%PDF-1.4\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n' +
      '2 0 obj << /Type /Pages /Kids [3 0 R 4 0 R] /Count 12 >> endobj\n' +
      '3 0 obj << /Count 5 /Resources << /Font << /F1 9 0 R >> >> /Type/Pages /Parent 2 0 R >> endobj\n' +
      '4 0 obj << /Type /Outlines /Count 99 >> endobj\n';
    expect(await pagesOf(blob(plain))).toBe(12);
  });

  it('are found in a compressed object stream, whatever stands behind it', async () => {
    const objects = await deflated('2 0 3 40 << /Type /Pages /Kids [3 0 R] /Count 7 >> << /Type /Page >>');
    const pdf = blob(
      '%PDF-1.7\n5 0 obj << /Type /ObjStm /N 2 /Filter /FlateDecode >> stream\r\n',
      objects,
      '\r\nendstream endobj',
    );
    expect(await pagesOf(pdf)).toBe(7);
  });

  it('are not known where nothing says so', async () => {
    expect(await pagesOf(blob('bukan PDF /Type /Pages /Count 3'))).toBeUndefined();
    expect(await pagesOf(blob('%PDF-1.7 encrypted'))).toBeUndefined();
    expect(await pagesOf(blob('%PDF-1.7 << /Type /Pages /Count 900000 >>'))).toBeUndefined();
    const noise = blob('%PDF-1.7\n<< /Type /ObjStm >> stream\n', new Uint8Array(400).fill(7), '\nendstream');
    expect(await pagesOf(noise)).toBeUndefined();
  });
});
