import type { FilePiece } from '../../src/engine/engine.ts';

export type Files = ReadonlyMap<string, Buffer>;

/** A small deterministic generator (mulberry32), so that a printed seed repeats a run. */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Bytes that compress to about a half: pages of random and repeated parts, some of zeros. */
export function someBytes(random: () => number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 64) {
    const kind = random();
    if (kind < 0.5) bytes.fill(Math.floor(random() * 256), at, Math.min(length, at + 64));
    else
      for (let word = at; word + 4 <= Math.min(length, at + 64); word += 4)
        bytes.writeUInt32LE(Math.floor(random() * 2 ** 32), word);
  }
  for (let page = 0; page + 16384 <= length; page += 16384) if (random() < 0.05) bytes.fill(0, page, page + 16384);
  return bytes;
}

/** The files as a stream would bring them: interleaved, in pieces of odd lengths. */
export function* piecesOf(files: Files, random: () => number, open = 3): Generator<FilePiece[]> {
  const waiting = [...files];
  const active: { path: string; bytes: Buffer; at: number }[] = [];
  while (waiting.length > 0 || active.length > 0) {
    while (active.length < open && waiting.length > 0) {
      const [path, bytes] = waiting.shift() ?? ['', Buffer.alloc(0)];
      active.push({ path, bytes, at: 0 });
    }
    const chosen = Math.floor(random() * active.length);
    const file = active[chosen];
    if (!file) return;
    if (file.at === file.bytes.length) {
      active.splice(chosen, 1);
      yield [{ type: 'end', path: file.path, size: file.bytes.length }];
      continue;
    }
    const length = Math.min(file.bytes.length - file.at, 1 + Math.floor(random() * 70_000));
    const bytes = file.bytes.subarray(file.at, file.at + length);
    yield [{ type: 'data', path: file.path, offset: file.at, bytes }];
    file.at += length;
  }
}
