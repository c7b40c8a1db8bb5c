import fc from 'fast-check';

/** One of a repository's objects, by number, is not what was stored. */
export type Damage =
  | { readonly kind: 'flip'; readonly object: number; readonly at: number; readonly bit: number }
  | { readonly kind: 'swap'; readonly object: number; readonly other: number }
  | { readonly kind: 'copy'; readonly object: number; readonly other: number }
  | { readonly kind: 'cut'; readonly object: number; readonly at: number }
  | { readonly kind: 'remove'; readonly object: number };

const index = fc.nat({ max: 2 ** 31 });
export const damage: fc.Arbitrary<Damage> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('flip' as const), object: index, at: index, bit: fc.nat({ max: 7 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('swap' as const, 'copy' as const), object: index, other: index }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), object: index, at: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), object: index }) },
);

export function apply(objects: ReadonlyMap<string, Buffer>, each: Damage): Map<string, Buffer> {
  const damaged = new Map(objects);
  const keys = [...objects.keys()];
  const key = keys[each.object % keys.length] ?? '';
  const bytes = Buffer.from(objects.get(key) ?? '');
  if (each.kind === 'remove') damaged.delete(key);
  else if (each.kind === 'cut') damaged.set(key, bytes.subarray(0, each.at % bytes.length));
  else if (each.kind === 'flip') damaged.set(key, flipped(bytes, each));
  else {
    const other = keys[each.other % keys.length] ?? '';
    damaged.set(key, objects.get(other) ?? bytes);
    if (each.kind === 'swap') damaged.set(other, bytes);
  }
  return damaged;
}

function flipped(bytes: Buffer, { at, bit }: { readonly at: number; readonly bit: number }): Buffer {
  const place = at % bytes.length;
  bytes[place] = (bytes[place] ?? 0) ^ (1 << bit);
  return bytes;
}

/** What `apply` changes of these objects. */
export function damagedKeys(keys: readonly string[], each: Damage): string[] {
  const numbers = each.kind === 'swap' ? [each.object, each.other] : [each.object];
  return numbers.map((number) => keys[number % keys.length] ?? '');
}
