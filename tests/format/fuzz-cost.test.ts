import { createZstdCompress, constants, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { CorruptData } from '../../src/lib/failure.ts';
import { newRepositoryKey, openCipher } from '../../src/repository/cipher.ts';
import { decodeDocument, encodeDocument } from '../../src/repository/documents.ts';
import { encodeFrame, FRAME, MAX_PLAIN_BYTES, openFrameSync } from '../../src/repository/frame.ts';
import { createSlot, openSlot, slotSchema } from '../../src/repository/slots.ts';
import { allDamages, readOrRefuse, REFUSED } from './damage.ts';

const NAME = 'backups/20261121T014327Z-9f3a21bc/0123abcd-000001.segment';
const SALT = Buffer.alloc(32, 9);
const at = '2026-11-21T01:00:00.000Z';

describe('a frame that decompresses to more than it says', () => {
  async function bomb(options: { bytes: number; windowLog: number }): Promise<Buffer> {
    const zstd = createZstdCompress({ params: { [constants.ZSTD_c_windowLog]: options.windowLog } });
    const parts: Buffer[] = [];
    zstd.on('data', (part: Buffer) => parts.push(part));
    const zeros = Buffer.alloc(4 << 20);
    for (let left = options.bytes; left > 0; left -= zeros.length) {
      await new Promise((resolve) => zstd.write(zeros, resolve));
    }
    await new Promise((resolve) => zstd.end(resolve));
    return Buffer.concat(parts);
  }

  test.each([
    ['1 GiB', { bytes: 1 << 30, windowLog: 20 }],
    ['8 MiB in a window of 128 MiB', { bytes: 8 << 20, windowLog: 27 }],
  ])('%s, is refused in little memory', async (_name, options) => {
    const body = await bomb(options);
    const object = openCipher.forObject(NAME, SALT);
    const frame = encodeFrame({ kind: FRAME.data, ordinal: 0, plainLength: MAX_PLAIN_BYTES, codec: 1, body }, object);
    const bytes = Buffer.concat([frame.header, frame.body]);
    const before = process.resourceUsage().maxRSS;
    expect(() => openFrameSync({ bytes, cipher: object, name: NAME })).toThrow(CorruptData);
    expect(process.resourceUsage().maxRSS - before, 'KiB').toBeLessThan(64 << 10);
  });

  test('a window larger than the format allows is refused though its content fits', async () => {
    const body = await bomb({ bytes: 4 << 20, windowLog: 27 });
    const object = openCipher.forObject(NAME, SALT);
    const frame = encodeFrame({ kind: FRAME.data, ordinal: 0, plainLength: 4 << 20, codec: 1, body }, object);
    const bytes = Buffer.concat([frame.header, frame.body]);
    expect(() => openFrameSync({ bytes, cipher: object, name: NAME })).toThrow(CorruptData);
  });

  test('as much as it says is read', () => {
    const plain = Buffer.alloc(MAX_PLAIN_BYTES);
    const object = openCipher.forObject(NAME, SALT);
    const body = zstdCompressSync(plain);
    const frame = encodeFrame({ kind: FRAME.data, ordinal: 0, plainLength: plain.length, codec: 1, body }, object);
    expect(
      openFrameSync({ bytes: Buffer.concat([frame.header, frame.body]), cipher: object, name: NAME }).equals(plain),
    ).toBe(true);
  });
});

describe('a key slot', () => {
  test('damaged in every way opens nothing else', async () => {
    const key = newRepositoryKey();
    const unlock = { kind: 'key-file', bytes: Buffer.alloc(32, 1) } as const;
    const slot = await createSlot(key, unlock, { label: 'l', createdAt: at });
    const sample = encodeDocument(slot, { cipher: openCipher, key: 'k' });
    for (const damaged of allDamages(sample)) {
      const parsed = readOrRefuse(() => decodeDocument(damaged, { schema: slotSchema, cipher: undefined, key: 'k' }));
      const opened = parsed === REFUSED ? undefined : await openSlot(slotSchema.parse(parsed), unlock);
      if (opened) expect(opened.equals(key)).toBe(true);
    }
  });

  test.each([
    { n: 2 ** 20, r: 16, p: 1 },
    { n: 1000, r: 8, p: 1 },
  ])('of impossible cost is refused: %j', async (scrypt) => {
    const slot = await createSlot(
      newRepositoryKey(),
      { kind: 'key-file', bytes: Buffer.alloc(32) },
      { label: '', createdAt: at },
    );
    const bad = { ...slot, kind: 'passphrase', scrypt } as const;
    await expect(openSlot(bad, { kind: 'passphrase', passphrase: 'long enough' })).rejects.toThrow(CorruptData);
  });
});
