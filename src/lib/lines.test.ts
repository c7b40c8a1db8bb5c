import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LineSplitter } from './lines.ts';

function split(parts: readonly Buffer[], maximum?: number): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), maximum);
  for (const part of parts) splitter.push(part);
  splitter.end();
  return lines;
}

it('gives the same lines however the bytes are cut, also inside a character', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme', minLength: 1 }).filter((line) => !/[\r\n]/.test(line))),
      fc.integer({ min: 1, max: 7 }),
      (lines, size) => {
        const bytes = Buffer.from(lines.join('\n'));
        const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
          bytes.subarray(index * size, (index + 1) * size),
        );
        expect(split(parts)).toEqual(lines);
      },
    ),
  );
});

it('cuts a line that is too long and goes on with the next', () => {
  expect(split([Buffer.from('a'.repeat(30)), Buffer.from('bbb\r\nnext\n')], 10)).toEqual(['a'.repeat(10), 'next']);
});
