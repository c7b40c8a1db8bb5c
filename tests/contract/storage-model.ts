import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareKeys } from '../../src/storage/key.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { keysOf, missing } from './storage-tools.ts';

/** Random calls give what a map in memory gives. */
export function describeModel(storage: () => Storage): void {
  test('behaves like a map, whatever is done to it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), (steps) => runSteps(storage(), steps)),
      { numRuns: 15 },
    );
  });
}

const name = fc.constantFrom('a', 'b', 'c', 'd/a', 'd/b', 'e/f/g');
const step = fc.oneof(
  fc.record({
    verb: fc.constant('put' as const),
    name,
    bytes: fc.uint8Array({ maxLength: 30 }),
    ifAbsent: fc.boolean(),
  }),
  fc.record({ verb: fc.constant('get' as const), name }),
  fc.record({ verb: fc.constant('delete' as const), names: fc.array(name, { maxLength: 3 }) }),
  fc.record({ verb: fc.constant('list' as const), prefix: fc.constantFrom('', 'a', 'd', 'd/', 'e/f', 'x') }),
);

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

async function runSteps(storage: Storage, steps: readonly Step[]): Promise<void> {
  const folder = `model/${randomUUID()}/`;
  const model = new Map<string, Uint8Array>();
  for (const each of steps) await runStep({ storage, folder, model }, each);
}

interface Model {
  readonly storage: Storage;
  readonly folder: string;
  readonly model: Map<string, Uint8Array>;
}

async function runStep({ storage, folder, model }: Model, each: Step): Promise<void> {
  switch (each.verb) {
    case 'put': {
      const isThere = each.ifAbsent && model.has(each.name);
      const outcome = await storage.put(folder + each.name, each.bytes, { ifAbsent: each.ifAbsent });
      expect(outcome).toBe(isThere ? 'exists' : 'stored');
      if (!isThere) model.set(each.name, each.bytes);
      return;
    }
    case 'get': {
      const expected = model.get(each.name);
      expect(await storage.get(folder + each.name).catch(missing)).toEqual(expected && Buffer.from(expected));
      return;
    }
    case 'delete':
      await storage.delete(each.names.map((key) => folder + key));
      for (const key of each.names) model.delete(key);
      return;
    case 'list': {
      const expected = [...model.keys()].filter((key) => key.startsWith(each.prefix)).toSorted(compareKeys);
      expect(await keysOf(storage, folder + each.prefix)).toEqual(expected.map((key) => folder + key));
    }
  }
}
