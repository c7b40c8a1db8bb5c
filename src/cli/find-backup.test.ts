import { beforeAll, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { Failure } from '../lib/failure.ts';
import { initRepository, type Repository } from '../repository/repository.ts';
import { markDeleted, voidBackup } from '../repository/settle.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { randomSource, someBytes } from '../../tests/support/pieces.ts';
import { backUp, neverAborted, startAttempt } from '../../tests/support/repositories.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { findId, findSealed } from './find-backup.ts';

const signal = neverAborted;
let repository: Repository;
/** In order of their making. */
const ids: Record<string, string> = {};

beforeAll(async () => {
  const options = { clock: systemClock, signal, conditionalPut: true, unlock: undefined, label: 'test' };
  repository = await initRepository(new MemoryStorage(), options);
  const random = randomSource(3);
  const files = new Map([['t.ibd', someBytes(random, 50_000)]]);
  for (const [name, service] of [
    ['first', 'db'],
    ['other', 'db2'],
    ['deleted', 'db'],
  ] as const)
    ids[name] = (await backUp(repository, { files, random, service })).sealed.backup;
  await markDeleted(repository, ids['deleted'] ?? '', { reason: 'test', signal });
  for (const name of ['begun', 'void']) ids[name] = (await startAttempt(repository, {})).name.backup;
  await voidBackup(repository, ids['void'] ?? '', { reason: 'test', signal });
});

async function found(text: string, service?: string): Promise<string | undefined> {
  const { backup } = await findSealed(repository, text, { signal, service });
  return Object.keys(ids).find((name) => ids[name] === backup);
}

async function codeOf(work: Promise<unknown>): Promise<[string, number]> {
  const error = await work.catch((reason: unknown) => reason);
  return error instanceof Failure ? [error.code, exitCodeOf(error)] : ['none', 0];
}

test('a whole id, its beginning, and the newest one that is complete', async () => {
  const first = ids['first'] ?? '';
  expect(await found(first)).toBe('first');
  expect(await found(first.slice(0, -3))).toBe('first');
  expect(await found('latest')).toBe('other');
  expect(await found('latest', 'db')).toBe('first');
});

test.each(['nope', '../seals', '', ' ', 'latest ', '20260101', 'repository.json', '%', '*'])(
  '%j names no backup',
  async (text) => {
    expect(await codeOf(findSealed(repository, text, { signal }))).toEqual(['no-such-backup', EXIT.notFound]);
  },
);

test('what is deleted, begun, void or meant by several', async () => {
  const codes = ['deleted', 'begun', 'void'].map(async (name) =>
    codeOf(findSealed(repository, ids[name] ?? '', { signal })),
  );
  expect(await Promise.all(codes)).toEqual([
    ['no-such-backup', EXIT.notFound],
    ['not-sealed', EXIT.conflict],
    ['not-sealed', EXIT.conflict],
  ]);
  expect(await codeOf(findSealed(repository, '2', { signal }))).toEqual(['ambiguous-id', EXIT.usage]);
  expect(await codeOf(findSealed(repository, 'latest', { signal, service: 'none' }))).toEqual([
    'no-such-backup',
    EXIT.notFound,
  ]);
  expect(await findId(repository, ids['begun'] ?? '', { signal })).toBe(ids['begun']);
});
