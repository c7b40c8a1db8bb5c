import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CorruptData } from '../lib/failure.ts';
import type { FilePiece } from './engine.ts';
import { decodeXbstream } from './xbstream-decode.ts';
import { encodeXbstream } from './xbstream-encode.ts';

interface Part {
  readonly kind: 'data' | 'hole';
  readonly bytes: Uint8Array;
}

interface SmallFile {
  readonly path: string;
  readonly parts: readonly Part[];
}

// Names that differ in more than one bit: the format has no checksum over names, so a flip from one to the other is invisible.
const names = ['ibdata1', 'app/t.ibd', './app//u.ibd', 'mysql/ÄÖ.frm', 'xtrabackup_info', 'a'.repeat(511)];

const anyPart: fc.Arbitrary<Part> = fc.record({
  kind: fc.constantFrom('data', 'data', 'hole'),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 60 }),
});
const anyFiles: fc.Arbitrary<readonly SmallFile[]> = fc
  .uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 4 })
  .chain((paths) =>
    fc.tuple(
      ...paths.map((path) =>
        fc.record({ path: fc.constant(path), parts: fc.array(anyPart, { minLength: 1, maxLength: 4 }) }),
      ),
    ),
  );
const anyCuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 });

describe('xbstream', () => {
  it('decodes what it encoded, however the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(anyFiles, anyCuts, async (files, cuts) => {
        const stream = await encode(interleave(files));
        const decoded = await contents(cut(stream, cuts));
        expect(decoded).toEqual(expected(files));
      }),
    );
  });

  it('refuses every truncated stream, but one that ends where all files are complete', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyFiles,
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        async (files, place) => {
          const stream = await encode(sequence(files));
          const short = stream.subarray(0, Math.floor(place * stream.length));
          const result = await attempt(short);
          if (result instanceof CorruptData) return;
          expect(result).toEqual(new Map([...expected(files)].slice(0, result.size)));
        },
      ),
    );
  });

  it('answers every flipped bit with CorruptData or the same files', async () => {
    await fc.assert(
      fc.asyncProperty(anyFiles, fc.nat(), async (files, nat) => {
        const stream = await encode(interleave(files));
        const bit = nat % (stream.length * 8);
        stream[bit >> 3] = (stream[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const result = await attempt(stream);
        if (!(result instanceof CorruptData)) expect(result).toEqual(expected(files));
      }),
      { numRuns: 1_000 },
    );
  });

  it('answers arbitrary bytes behind a good beginning with CorruptData', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('P', 'S', 'E', 'x'),
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        async (type, bytes) => {
          const result = await attempt(join(await encode(whole('g')), chunkHead(type, 'f'), bytes));
          expect(result).toBeInstanceOf(CorruptData);
        },
      ),
    );
  });

  it('writes holes as zeros on request, for extractors that know no sparse chunks', async () => {
    const hole: FilePiece = { type: 'hole', path: 'f', offset: 0, length: 2_500_000 };
    const end: FilePiece = { type: 'end', path: 'f', size: hole.length };
    const stream = Buffer.concat(await Array.fromAsync(encodeXbstream(batches([[hole, end]]), { holes: 'zeros' })));
    const [batch = []] = await Array.fromAsync(decodeXbstream(batches([stream])));
    expect(batch.map((piece) => piece.type)).toEqual(['data', 'data', 'data', 'end']);
    expect(batch.at(-1)).toEqual(end);
  });

  it('hands out views of the incoming buffer, one batch for each', async () => {
    const stream = await encode([data('f', 0, new Uint8Array(1000).fill(7)), { type: 'end', path: 'f', size: 1000 }]);
    const parts = [stream.subarray(0, 500), stream.subarray(500)];
    const decoded = await Array.fromAsync(decodeXbstream(batches(parts)));
    expect(decoded).toHaveLength(2);
    const [first] = decoded[0] ?? [];
    expect(first?.type === 'data' && first.bytes.buffer === stream.buffer).toBe(true);
  });

  const broken: Record<string, { readonly stream: () => Promise<Uint8Array>; readonly code: string }> = {
    'garbage between chunks': {
      stream: async () => join(await encode(whole('f')), text('XBSTCK'), text('garbage!')),
      code: 'xbstream-magic',
    },
    'an unknown type': { stream: async () => join(chunkHead('Z', 'f')), code: 'xbstream-type' },
    'an unknown type that says it may be skipped': {
      stream: async () => join(chunkHead('Z', 'f', 1)),
      code: 'xbstream-type',
    },
    'unknown flags': { stream: async () => join(chunkHead('E', 'f', 2)), code: 'xbstream-flags' },
    'a name of 512 bytes': { stream: async () => join(chunkHead('E', 'x'.repeat(512))), code: 'xbstream-path' },
    'a name of 4 GiB': { stream: async () => join(lengthOfName(0xffff_ffff)), code: 'xbstream-path' },
    'an empty name': { stream: async () => join(chunkHead('E', '')), code: 'xbstream-path' },
    'an absolute name': { stream: async () => join(chunkHead('E', '/etc/passwd')), code: 'xbstream-path' },
    'a name with ..': { stream: async () => join(chunkHead('E', 'app/../../etc/passwd')), code: 'xbstream-path' },
    'a name of dots': { stream: async () => join(chunkHead('E', './.')), code: 'xbstream-path' },
    'a name of a folder': { stream: async () => join(chunkHead('E', 'app/')), code: 'xbstream-path' },
    'a name with NUL': { stream: async () => join(chunkHead('E', 'a\0b')), code: 'xbstream-path' },
    'a name with a backslash': { stream: async () => join(chunkHead('E', '..\\x')), code: 'xbstream-path' },
    'a file that comes twice': {
      stream: async () => join(await encode(whole('f')), await encode(whole('f'))),
      code: 'xbstream-duplicate',
    },
    'a file that comes twice by another spelling': {
      stream: async () => join(await encode(whole('f')), await encode(whole('./f'))),
      code: 'xbstream-duplicate',
    },
    'a hole in the offsets': {
      stream: () => encode([data('f', 0, text('a')), data('f', 2, text('b'))]),
      code: 'xbstream-offset',
    },
    'a chunk of 2^63 bytes': {
      stream: async () => join(chunkHead('P', 'f'), payloadHead(2n ** 63n, 0n)),
      code: 'xbstream-length',
    },
    'a billion sparse parts': {
      stream: async () => join(chunkHead('S', 'f'), sparseHead(1_000_000_000)),
      code: 'xbstream-length',
    },
    'more than 2,000 open files': {
      stream: () => encode(Array.from({ length: 2_001 }, (_, index) => data(`f${index}`, 0, text('a')))),
      code: 'xbstream-open-files',
    },
    'a file without an end': { stream: () => encode([data('f', 0, text('a'))]), code: 'xbstream-truncated' },
  };
  for (const [name, { stream, code }] of Object.entries(broken)) {
    it(`refuses ${name}`, async () => {
      const bytes = await stream();
      await expect(contents([bytes])).rejects.toMatchObject({
        name: 'CorruptData',
        code,
        nextStep: expect.stringMatching(/[Rr]un the backup again/),
      });
      await expect(contents(cut(bytes, [1]))).rejects.toMatchObject({ code });
    });
  }

  it('takes files that have an end and nothing else, as the tools write empty ones', async () => {
    expect(await contents([await encode([{ type: 'end', path: 'mysql/general_log.CSV', size: 0 }])])).toEqual(
      new Map([['mysql/general_log.CSV', '']]),
    );
  });
});

function whole(path: string): FilePiece[] {
  return [data(path, 0, text('content')), { type: 'end', path, size: 7 }];
}

function data(path: string, offset: number, bytes: Uint8Array): FilePiece {
  return { type: 'data', path, offset, bytes };
}

function text(value: string): Uint8Array {
  return Buffer.from(value);
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

function chunkHead(type: string, path: string, flags = 0): Uint8Array {
  const head = join(text(`XBSTCK01\0${type}`), lengthBytes(Buffer.byteLength(path)), text(path));
  head[8] = flags;
  return head;
}

function lengthOfName(length: number): Uint8Array {
  return join(text('XBSTCK01\0P'), lengthBytes(length));
}

function lengthBytes(length: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(length);
  return bytes;
}

function payloadHead(length: bigint, offset: bigint): Uint8Array {
  const bytes = Buffer.alloc(20);
  bytes.writeBigUInt64LE(length);
  bytes.writeBigUInt64LE(offset, 8);
  return bytes;
}

function sparseHead(entries: number): Uint8Array {
  return join(lengthBytes(entries), payloadHead(10n, 0n));
}

/** The files one after the other. */
function sequence(files: readonly SmallFile[]): FilePiece[] {
  return files.flatMap((file) => piecesOf(file));
}

/** The files' pieces in turns, as with several copying threads. */
function interleave(files: readonly SmallFile[]): FilePiece[] {
  const lists = files.map((file) => piecesOf(file));
  const longest = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, index) => lists.flatMap((list) => list.slice(index, index + 1))).flat();
}

function piecesOf(file: SmallFile): FilePiece[] {
  let offset = 0;
  const pieces: FilePiece[] = file.parts.map(({ kind, bytes }) => {
    const at = offset;
    offset += bytes.length;
    return kind === 'data'
      ? data(file.path, at, bytes)
      : { type: 'hole', path: file.path, offset: at, length: bytes.length };
  });
  return [...pieces, { type: 'end', path: file.path, size: offset }];
}

function expected(files: readonly SmallFile[]): Map<string, string> {
  return new Map(
    files.map(({ path, parts }) => [
      path.replace('./app//', 'app/'),
      Buffer.concat(parts.map(partBytes)).toString('hex'),
    ]),
  );
}

function partBytes({ kind, bytes }: Part): Uint8Array {
  return kind === 'data' ? bytes : new Uint8Array(bytes.length);
}

async function encode(pieces: readonly FilePiece[]): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(encodeXbstream(batches([pieces]))));
}

async function* batches<T>(all: Iterable<T>): AsyncGenerator<T> {
  yield* all;
  await Promise.resolve();
}

function* cut(stream: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, turn = 0; at < stream.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield stream.subarray(at, at + size);
    at += size;
  }
}

/** What an extractor would write: complete files only, in the order of their ends. */
async function contents(stream: Iterable<Uint8Array>): Promise<Map<string, string>> {
  const open = new Map<string, Uint8Array[]>();
  const complete = new Map<string, string>();
  for await (const batch of decodeXbstream(batches(stream))) {
    for (const piece of batch) {
      const parts = open.get(piece.path) ?? [];
      open.set(piece.path, parts);
      if (piece.type === 'data') parts.push(Uint8Array.from(piece.bytes));
      else if (piece.type === 'hole') parts.push(new Uint8Array(piece.length));
      else complete.set(piece.path, Buffer.concat(parts).toString('hex'));
    }
  }
  return complete;
}

async function attempt(stream: Uint8Array): Promise<Map<string, string> | CorruptData> {
  try {
    return await contents([stream]);
  } catch (error) {
    if (error instanceof CorruptData) return error;
    throw error;
  }
}
