import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CorruptData } from '../lib/failure.ts';
import { ByteReader, ByteWriter } from './bytes.ts';

describe('fields', () => {
  test('are read as they were written', () => {
    const field = fc.oneof(
      fc.record({ kind: fc.constant('number' as const), value: fc.maxSafeNat() }),
      fc.record({ kind: fc.constant('text' as const), value: fc.string({ unit: 'grapheme' }) }),
    );
    fc.assert(
      fc.property(fc.array(field), (fields) => {
        const writer = new ByteWriter(1);
        for (const each of fields) {
          if (each.kind === 'number') writer.varint(each.value);
          else writer.text(each.value);
        }
        const reader = new ByteReader(Buffer.from(writer.view()), 'x');
        for (const each of fields) {
          expect(each.kind === 'number' ? reader.varint() : reader.text(10_000)).toBe(each.value);
        }
        reader.end();
      }),
    );
  });

  test.each([
    [0, '00'],
    [127, '7f'],
    [128, '8001'],
    [16_384, '808001'],
    [Number.MAX_SAFE_INTEGER, 'ffffffffffffff0f'],
  ])('%i is %s', (value, hex) => {
    expect(new ByteWriter().varint(value).view().toString('hex')).toBe(hex);
  });

  test.each([
    ['a number above its limit', '05', (reader: ByteReader) => reader.varint(4)],
    ['a number above 2^53', 'ffffffffffffff10', (reader: ByteReader) => reader.varint()],
    ['a number without an end', 'ffffffffffffffffffff', (reader: ByteReader) => reader.varint()],
    ['a number cut short', '80', (reader: ByteReader) => reader.varint()],
    ['a text longer than what is left', '0541', (reader: ByteReader) => reader.text(10)],
    ['a text longer than allowed', '024141', (reader: ByteReader) => reader.text(1)],
    ['a text that is not UTF-8', '02c328', (reader: ByteReader) => reader.text(10)],
    ['bytes too many', '00', (reader: ByteReader) => reader.end()],
  ])('%s is refused', (_name, hex, read) => {
    expect(() => read(new ByteReader(Buffer.from(hex, 'hex'), 'x'))).toThrow(CorruptData);
  });
});
