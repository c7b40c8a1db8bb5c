import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CorruptData } from '../../src/lib/failure.ts';
import { keyedCipher, newRepositoryKey, openCipher } from '../../src/repository/cipher.ts';
import {
  begunSchema,
  decodeDocument,
  deletedSchema,
  encodeDocument,
  noteSchema,
  settlementSchema,
} from '../../src/repository/documents.ts';
import { decodeExtent, encodeExtent, Extent, type Reference, ZERO, ZERO_ID } from '../../src/repository/extent.ts';
import { decodePage, encodeFilePage, encodeUpperPage, type FileEntry } from '../../src/repository/file-page.ts';
import { decodeFooter, decodeTrailer, encodeTrailer, FooterWriter, NODE } from '../../src/repository/footer.ts';
import {
  compressSync,
  CONTENT,
  encodeFrame,
  encodeObjectHeader,
  FRAME,
  openFrameSync,
  openObjectHeader,
} from '../../src/repository/frame.ts';
import { rootSchema } from '../../src/repository/index-reader.ts';
import { decodeSegmentPage, encodeSegmentPage } from '../../src/repository/segment-table.ts';
import { decodeObject, encodeObject } from '../../src/repository/small-object.ts';
import { randomSource, someBytes } from '../support/pieces.ts';
import { someFields } from '../support/repositories.ts';
import { allDamages, readOrRefuse, REFUSED } from './damage.ts';

const random = randomSource(42);
const BACKUP = '20261121T014327Z-9f3a21bc';
const SEGMENT = `${BACKUP}/0123abcd-000001`;
const KEYED = keyedCipher(newRepositoryKey());
const SALT = Buffer.alloc(32, 9);
const NAME = `backups/${SEGMENT}.segment`;

interface Sample {
  readonly name: string;
  readonly bytes: Buffer;
  /** Throws CorruptData, or returns what was read. */
  readonly read: (bytes: Buffer) => unknown;
  /** Whatever is read from damaged bytes is what was written: they are authenticated, or carry a digest. */
  readonly isAuthentic: boolean;
}

function reference(number: number): Reference {
  const place = { segment: `${BACKUP}/0123abcd-${String(number).padStart(6, '0')}`, offset: 64, length: 1000 + number };
  return { id: Buffer.alloc(32, number), frame: { place }, plainOffset: number * 16_384 };
}

function someExtent(): Extent {
  const extent = new Extent(1);
  for (let at = 0; at < 9; at += 1)
    extent.add(at % 4 === 1 ? { id: ZERO_ID, frame: ZERO, plainOffset: 0 } : reference(at));
  return extent;
}

function someFile(path: string): FileEntry {
  return { path, size: 20_000, isSparse: false, height: 1, root: reference(3) };
}

const emptyFile: FileEntry = { path: 'a', size: 0, isSparse: true, height: 0, root: undefined };
const somePage = encodeFilePage([emptyFile, someFile('b/c'), someFile('ü.ibd')]);
const upperPage = encodeUpperPage(1, [
  { first: 'a', root: reference(1) },
  { first: 'b', root: reference(2) },
]);
const tablePage = encodeSegmentPage([
  { name: SEGMENT, size: 5000, total: 4000, used: 100 },
  { name: `${BACKUP}/0123abcd-000002`, size: 5000, total: 4000, used: 4000 },
]);
const root = {
  format: 1,
  backup: BACKUP,
  attempt: '0123abcd',
  files: 3,
  logicalBytes: 40_000,
  fileList: { id: 'ab'.repeat(32), segment: SEGMENT, offset: 64, length: 99 },
  segmentPages: [],
  tail: [{ name: SEGMENT, size: 5000, total: 4000, used: 100 }],
};

function someFooter(): { bytes: Buffer; end: number } {
  const footer = new FooterWriter();
  footer.addData(700, 32_768, [{ path: 'a', firstBlock: 3, count: 2, bytes: 32_768 }]);
  footer.addNode(90, 120, { type: NODE.extent, path: 'a', level: 1, index: 0 });
  return { bytes: footer.encode(), end: 64 + 16 + 700 + 16 + 90 };
}

function frameSample(cipher: typeof openCipher, level: number): Sample {
  const plain = someBytes(random, 300);
  const object = cipher.forObject(NAME, SALT);
  const packed = compressSync(plain, level);
  const { header, body } = encodeFrame({ kind: FRAME.data, ordinal: 7, plainLength: plain.length, ...packed }, object);
  return {
    name: `a frame, level ${level}, ${cipher.keyId === undefined ? 'open' : 'encrypted'}`,
    bytes: Buffer.concat([header, body]),
    read: (bytes) => openFrameSync({ bytes, cipher: object, name: NAME }),
    isAuthentic: cipher.keyId !== undefined,
  };
}

function documentSamples(
  name: string,
  document: object,
  schema: Parameters<typeof decodeDocument>[1]['schema'],
): Sample[] {
  const key = `x/${BACKUP}.json`;
  return [KEYED, openCipher].map((cipher) => ({
    name: `${name}, ${cipher === KEYED ? 'encrypted' : 'open'}`,
    bytes: encodeDocument(document, { cipher, key }),
    read: (bytes) => decodeDocument(bytes, { schema, cipher, key }),
    isAuthentic: true,
  }));
}

const times = { startedAt: '2026-11-21T01:00:00.000Z', endedAt: '2026-11-21T01:00:00.000Z' };
const at = times.startedAt;
const footer = someFooter();
const seal = {
  state: 'sealed',
  ...someFields,
  ...times,
  backup: BACKUP,
  attempt: '0123abcd',
  service: 'db',
  files: 1,
  logicalBytes: 5,
  storedBytes: 5,
  indexDigest: 'ab'.repeat(32),
  sealedAt: at,
};
const samples: Sample[] = [
  {
    name: 'an extent',
    bytes: encodeExtent(someExtent()),
    read: (bytes) => decodeExtent(bytes, 'x'),
    isAuthentic: false,
  },
  { name: 'a page of files', bytes: somePage, read: (bytes) => decodePage(bytes, 'x'), isAuthentic: false },
  { name: 'a page above', bytes: upperPage, read: (bytes) => decodePage(bytes, 'x'), isAuthentic: false },
  { name: 'a page of segments', bytes: tablePage, read: (bytes) => decodeSegmentPage(bytes, 'x'), isAuthentic: false },
  { name: 'a footer', bytes: footer.bytes, read: (bytes) => decodeFooter(bytes, NAME, footer.end), isAuthentic: true },
  {
    name: 'a trailer',
    bytes: encodeTrailer(100),
    read: (bytes) => decodeTrailer(bytes, 9999, NAME),
    isAuthentic: false,
  },
  frameSample(openCipher, 0),
  frameSample(openCipher, 3),
  frameSample(KEYED, 0),
  frameSample(KEYED, 3),
  {
    name: 'an object header',
    bytes: encodeObjectHeader(CONTENT.segment, KEYED, SALT),
    read: (bytes) => void openObjectHeader(bytes, { content: CONTENT.segment, cipher: KEYED, name: NAME }),
    isAuthentic: false,
  },
  {
    name: 'the root of an index',
    bytes: encodeObject(Buffer.from(JSON.stringify(root)), { content: CONTENT.index, cipher: KEYED, name: NAME }),
    read: (bytes) => decodeObject(bytes, { content: CONTENT.index, cipher: KEYED, name: NAME }),
    isAuthentic: false,
  },
  ...documentSamples('a seal', seal, settlementSchema),
  ...documentSamples('a void seal', { state: 'void', backup: BACKUP, reason: 'r', voidedAt: at }, settlementSchema),
  ...documentSamples('a mark', { backup: BACKUP, deletedAt: at, reason: 'r' }, deletedSchema),
  ...documentSamples(
    'a begun attempt',
    { backup: BACKUP, attempt: '0123abcd', begunAt: at, service: 's', lineage: 'l', writer: 'w' },
    begunSchema,
  ),
  ...documentSamples('a note', { kind: 'checked', at, bytes: 5, blocks: 6 }, noteSchema),
];

describe.each(samples)('$name', ({ bytes, read, isAuthentic }) => {
  test('damaged in every way is refused, or read as it was written', () => {
    const written = read(bytes);
    let refused = 0;
    for (const damaged of allDamages(bytes)) {
      if (damaged.equals(bytes)) continue;
      const found = readOrRefuse(() => read(damaged));
      if (found === REFUSED) refused += 1;
      else if (isAuthentic) expect(found).toEqual(written);
    }
    expect(refused).toBeGreaterThan(bytes.length / 4);
  });

  test('of random bytes is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (random) => void readOrRefuse(() => read(Buffer.from(random)))),
      { numRuns: 300 },
    );
  });
});

describe('a page of files', () => {
  test.each(['../x', '/etc/passwd', 'a/../../b', 'a//b', '', '.', 'a/.', 'a\0b', 'x'.repeat(512)])(
    'refuses the name %j',
    (path) => {
      expect(() => decodePage(encodeFilePage([someFile(path)]), 'x')).toThrow(CorruptData);
    },
  );

  test.each([
    ['twice the same name', ['a', 'a']],
    ['names out of order', ['b', 'a']],
    // In UTF-16 the second one would come first.
    ['names in the order of UTF-16', ['\u{1f600}', '\u{fffd}']],
  ])('refuses %s', (_name, paths) => {
    expect(() => decodePage(encodeFilePage(paths.map((path) => someFile(path))), 'x')).toThrow(CorruptData);
    const pages = paths.map((first) => ({ first, root: reference(1) }));
    expect(() => decodePage(encodeUpperPage(1, pages), 'x')).toThrow(CorruptData);
  });

  test('refuses an impossible height and level', () => {
    expect(() => decodePage(encodeFilePage([{ ...someFile('a'), height: 9 }]), 'x')).toThrow(CorruptData);
    expect(() => decodePage(encodeUpperPage(9, [{ first: 'a', root: reference(1) }]), 'x')).toThrow(CorruptData);
    expect(() => decodePage(encodeUpperPage(1, []), 'x')).toThrow(CorruptData);
  });
});

describe('the root of an index', () => {
  test.each([
    ['a segment elsewhere', { ...root, tail: [{ name: '../../x', size: 5, total: 4, used: 1 }] }],
    ['a segment of no name', { ...root, fileList: { ...root.fileList, segment: '/etc/passwd' } }],
    ['a node too large', { ...root, fileList: { ...root.fileList, length: 2 ** 40 } }],
    ['a number that is none', { ...root, files: -1 }],
  ])('refuses %s', (_name, bad) => {
    expect(rootSchema.safeParse(root).success).toBe(true);
    expect(rootSchema.safeParse(bad).success).toBe(false);
  });
});
