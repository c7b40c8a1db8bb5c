import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import type { BlockHasher } from '../../src/repository/block-hasher.ts';
import { BackupWriter } from '../../src/repository/backup-writer.ts';
import { type Cipher, ID_BYTES, openCipher } from '../../src/repository/cipher.ts';
import { BLOCK_BYTES } from '../../src/repository/extent.ts';
import { newAttemptId, newBackupId } from '../../src/repository/names.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { FilePiece } from '../../src/engine/engine.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { ObjectNotFound } from '../../src/storage/storage.ts';

/**
 * Feeds a writer with files of made-up bytes, several at a time, drops what it stores, and prints its memory as JSON. Run in
 * a process of its own with the number of bytes as argument.
 */
const filesAtOnce = 4;
/** About what a read of a real stream brings; they stay in the processor's cache, as nobody looks at them. */
const pieceBytes = 128 << 10;
const fileBytes = 64 * 2 ** 30;
/** How much of a frame is left after compression that does not happen here. */
const packed = 0.4;

// As the program itself does it.
setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--heap-growing-percent=15');

const total = Number(process.argv[2]);
const { signal } = new AbortController();
let stored = 0;

const dropping: Storage = {
  description: 'nowhere',
  put: async (_key, bytes) => {
    stored += bytes.length;
    return Promise.resolve('stored');
  },
  get: async (key) => Promise.reject(new ObjectNotFound(key, { where: 'nowhere' })),
  list: async function* () {},
  delete: async () => Promise.resolve(),
};

let blocks = 0;
const numbers = new Float64Array(ID_BYTES / 8);
const id = Buffer.from(numbers.buffer);

/** Never repeats, as a hash of real data would not, without hashing. Valid until the next is asked for. */
function nextId(): Buffer {
  blocks += 1;
  numbers.set([blocks * 1.000_000_1, blocks / 3, blocks / 7, blocks / 11]);
  return id;
}

const counting: Cipher = { ...openCipher, blockId: () => Buffer.from(nextId()) };
const hasher: BlockHasher = {
  hash: async (batch) => {
    for (let number = 0; number < batch.count; number += 1) batch.id(number).set(nextId());
    return Promise.resolve();
  },
  [Symbol.dispose]: () => undefined,
};

const body = Buffer.alloc(4 << 20, 1);
const samples: { readonly bytes: number; readonly memory: number }[] = [];
using writer = new BackupWriter({
  hasher,
  storage: dropping,
  cipher: counting,
  attempt: { backup: newBackupId(systemClock.now()), attempt: newAttemptId() },
  known: undefined,
  segmentFacts: () => undefined,
  level: 1,
  signal,
  compressor: {
    compress: async (plain) =>
      Promise.resolve({ codec: 1, body: body.subarray(0, Math.ceil(plain.length * packed)), release: () => undefined }),
  },
});
for await (const pieces of stream()) await writer.write(pieces);
sample();
const written = await writer.finish();
sample();
const { logicalBytes, indexBytes, files } = written;
const segments = [...written.segments].length;
process.stdout.write(`${JSON.stringify({ logicalBytes, stored, indexBytes, files, segments, blocks, samples })}\n`);

/** A few files at a time, a piece of each in turn; the next ones begin when these have ended. */
async function* stream(): AsyncGenerator<readonly FilePiece[]> {
  const bytes = Buffer.alloc(pieceBytes, 7);
  const size = Math.min(fileBytes, Math.ceil(total / filesAtOnce / BLOCK_BYTES) * BLOCK_BYTES);
  for (let begun = 0; begun * size < total; begun += filesAtOnce) {
    const paths = Array.from({ length: filesAtOnce }, (_, at) => `app/large_table_${begun + at}.ibd`);
    for (let offset = 0; offset < size; offset += pieceBytes) {
      const part = bytes.subarray(0, Math.min(pieceBytes, size - offset));
      yield paths.map((path) => ({ type: 'data', path, offset, bytes: part }));
      // A real stream comes from the system, so other work gets its turn.
      if (offset % (1 << 20) === 0) await turn();
      if (offset % (fileBytes / 4) === 0) sample();
    }
    yield paths.map((path) => ({ type: 'end', path, size }));
  }
}

function sample(): void {
  const [bytes, memory] = [writer.readBytes, process.memoryUsage.rss()];
  samples.push({ bytes, memory });
  process.stderr.write(`${(bytes / 1e12).toFixed(2)} TB: ${Math.round(memory / 1e6)} MB\n`);
}
