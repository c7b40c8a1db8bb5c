import type { ByteReader, ByteWriter } from './bytes.ts';
import { parseSegmentName, segmentName } from './names.ts';

/** The segments that one node refers to: each attempt's name once, then numbers. */
export class NameTable {
  readonly #numbers = new Map<string, number>();

  /** @returns the segment's number in this table. */
  add(segment: string): number {
    const known = this.#numbers.get(segment);
    if (known !== undefined) return known;
    this.#numbers.set(segment, this.#numbers.size);
    return this.#numbers.size - 1;
  }

  encode(to: ByteWriter): void {
    const attempts = new Map<string, number>();
    const entries = [...this.#numbers.keys()].map((segment) => splitName(segment));
    for (const { attempt } of entries) if (!attempts.has(attempt)) attempts.set(attempt, attempts.size);
    to.varint(attempts.size);
    for (const attempt of attempts.keys()) to.text(attempt);
    to.varint(entries.length);
    for (const { attempt, number } of entries) to.varint(attempts.get(attempt) ?? 0).varint(number);
  }
}

/** @param max the number of segments that the node may name. */
export function decodeNames(reader: ByteReader, max: number): string[] {
  const attempts: string[] = [];
  for (let left = reader.varint(max); left > 0; left -= 1) attempts.push(reader.text(64));
  const names: string[] = [];
  for (let left = reader.varint(max); left > 0; left -= 1) {
    const attempt = attempts[reader.varint(attempts.length)] ?? '';
    const name = `${attempt}-${String(reader.varint(999_999_999)).padStart(6, '0')}`;
    if (parseSegmentName(name) === undefined) throw reader.damaged('a segment has an impossible name');
    names.push(name);
  }
  return names;
}

function splitName(segment: string): { attempt: string; number: number } {
  const parsed = parseSegmentName(segment);
  if (!parsed) throw new RangeError(`not a segment name: ${segment}`);
  return { attempt: segmentName(parsed, parsed.number).replace(/-\d+$/, ''), number: parsed.number };
}
