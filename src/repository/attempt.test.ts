import { describe, expect, test } from 'vitest';
import { someFields, startAttempt } from '../../tests/support/repositories.ts';
import { randomSource, someBytes } from '../../tests/support/pieces.ts';
import { systemClock } from '../lib/clock.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { retrying } from '../storage/retrying.ts';
import type { Storage } from '../storage/storage.ts';
import type { Attempt } from './attempt.ts';
import { LogBook } from './log-book.ts';
import { initRepository } from './repository.ts';

const cancelled = new Error('cancelled');
const bytes = someBytes(randomSource(1), 256 << 10);

/** A store that answers no call of this kind once `hangs` says so, whatever the signal does. */
class HangingStore {
  readonly memory: MemoryStorage;
  readonly hung = Promise.withResolvers<void>();
  hangs: (call: string) => boolean = () => false;

  constructor() {
    this.memory = new MemoryStorage({
      before: async ({ verb, key }) => {
        if (!this.hangs(`${verb} ${key}`)) return;
        this.hung.resolve();
        await new Promise(() => undefined);
      },
    });
  }
}

async function begin(wrap: (storage: Storage) => Storage): Promise<{
  store: HangingStore;
  attempt: Attempt;
  end: AbortController;
}> {
  const store = new HangingStore();
  const end = new AbortController();
  const { signal } = end;
  const options = { clock: systemClock, signal, conditionalPut: true, unlock: undefined, label: '' };
  const repository = await initRepository(wrap(store.memory), options);
  return { store, attempt: await startAttempt(repository, { signal }), end };
}

async function writeFile({ writer }: Attempt, pieces: number): Promise<void> {
  for (let at = 0; at < pieces; at += 1)
    await writer.write([{ type: 'data', path: 'a', offset: at * bytes.length, bytes }]);
  await writer.write([{ type: 'end', path: 'a', size: pieces * bytes.length }]);
}

describe('a store that hangs without heeding the signal', () => {
  test('ends the writing of blocks when the signal aborts', async () => {
    const { store, attempt, end } = await begin((storage) => storage);
    using _ = attempt.writer;
    store.hangs = (call) => call.startsWith('put');
    const writing = writeFile(attempt, 100);
    // By then all memory is waiting to be uploaded.
    setTimeout(() => end.abort(cancelled), 500);
    await expect(writing).rejects.toBe(cancelled);
  });

  test('ends the last uploads', async () => {
    const { store, attempt, end } = await begin((storage) => storage);
    using _ = attempt.writer;
    await writeFile(attempt, 1);
    store.hangs = (call) => call.startsWith('put');
    const finishing = attempt.writer.finish();
    void store.hung.promise.then(() => end.abort(cancelled));
    await expect(finishing).rejects.toBe(cancelled);
  });

  test.each([
    ['the index', /^put .*-index$/],
    ['the log', /^put .*-log$/],
    ['the reading back', /^list /],
    ['the seal', /^put seals/],
  ])('ends while it has %s', async (_, which) => {
    const { store, attempt, end } = await begin(retrying);
    using _writer = attempt.writer;
    await writeFile(attempt, 1);
    store.hangs = (call) => which.test(call);
    void store.hung.promise.then(() => end.abort(cancelled));
    const ending = (async () => {
      const written = await attempt.writer.finish();
      await attempt.putLog(new LogBook());
      await attempt.seal(written, someFields);
    })();
    await expect(ending).rejects.toBe(cancelled);
  });
});

test('what is put again after a lost answer overwrites nothing', async () => {
  const first = new Map<string, unknown>();
  const memory: MemoryStorage = new MemoryStorage({
    after: ({ verb, key }) => {
      if (verb !== 'put' || !key.startsWith('backups/') || first.has(key)) return;
      first.set(key, memory.objects.get(key));
      throw new Error('the answer was lost');
    },
  });
  const { signal } = new AbortController();
  const options = { clock: systemClock, signal, conditionalPut: true, unlock: undefined, label: '' };
  const repository = await initRepository(retrying(memory), options);
  const attempt = await startAttempt(repository, { signal });
  using _ = attempt.writer;
  await writeFile(attempt, 1);
  const written = await attempt.writer.finish();
  await attempt.putLog(new LogBook());
  await attempt.seal(written, someFields);
  expect([...first.keys()].map((key) => key.replace(/.*-/, '')).toSorted()).toEqual([
    '000001.segment',
    '000002.segment',
    'index',
    'log',
  ]);
  for (const [key, object] of first) expect(memory.objects.get(key), key).toBe(object);
});
