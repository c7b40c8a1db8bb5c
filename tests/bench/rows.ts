import { randomBytes } from 'node:crypto';

/**
 * Rows as applications have them: text of a limited vocabulary beside values that do not repeat. zstd -1 shrinks their pages
 * to 40 to 45 %, and no two pages are alike.
 */
export const columns = 'id BIGINT PRIMARY KEY, created INT NOT NULL, token CHAR(32) NOT NULL, note TEXT NOT NULL';

const rowBytes = 640;
const vocabulary = makeVocabulary(4000);

/** Bytes that a row takes in its table's file, about. */
export const storedRowBytes = 700;

/** Lines for LOAD DATA: columns split by tabs. */
export function* rowLines(firstId: number, rows: number): Generator<Buffer> {
  const batch = 512;
  for (let done = 0; done < rows; done += batch) {
    const lines: string[] = [];
    const random = randomBytes(batch * rowBytes);
    for (let row = done; row < Math.min(rows, done + batch); row += 1)
      lines.push(line(firstId + row, random.subarray((row - done) * rowBytes, (row - done + 1) * rowBytes)));
    yield Buffer.from(lines.join(''));
  }
}

function line(id: number, random: Buffer): string {
  return `${id}\t${1_700_000_000 + id}\t${random.toString('hex', 0, 16)}\t${note(random)}\n`;
}

/** Some 500 bytes of words, with numbers among them. */
function note(random: Buffer): string {
  let text = '';
  for (let at = 16; text.length < 540; at += 2) {
    const value = random.readUInt16LE(at);
    text += (value & 15) === 0 ? `${value * 7919} ` : vocabulary[value % vocabulary.length];
  }
  return text;
}

/** Made of syllables, so that words resemble each other; each ends with a space. */
function makeVocabulary(words: number): string[] {
  const consonants = 'bcdfghklmnprstvw';
  const vowels = 'aeiou';
  return Array.from({ length: words }, (_, number) => {
    let word = '';
    for (let rest = number + 13; rest > 0; rest = Math.floor(rest / 80))
      word += `${consonants[rest % 16]}${vowels[Math.floor(rest / 16) % 5]}${number % 3 === 0 ? 'n' : ''}`;
    return `${word} `;
  });
}
