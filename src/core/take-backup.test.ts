import { expect, test } from 'vitest';
import { randomSource, someBytes } from '../../tests/support/pieces.ts';
import { backUp, neverAborted } from '../../tests/support/repositories.ts';
import type { Engine, ServerFacts } from '../engine/engine.ts';
import { systemClock } from '../lib/clock.ts';
import { initRepository } from '../repository/repository.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { takeBackup } from './take-backup.ts';

const serverFacts: ServerFacts = {
  vendor: 'MariaDB',
  version: '10.11.19-MariaDB',
  identity: 'a',
  dataDirectory: '/data',
  gtid: '',
  dataBytes: undefined,
  variables: {},
};

const untouched: Engine = {
  name: 'mariadb-backup',
  version: '10.11.19',
  preflight: () => Promise.reject(new Error('not to be asked')),
  backup: () => {
    throw new Error('not to be started');
  },
  prepare: () => Promise.reject(new Error('not to be asked')),
};

test('a backup that an earlier attempt sealed is not made again, though nobody heard of it', async () => {
  const random = randomSource(1);
  const storage = new MemoryStorage();
  const init = { clock: systemClock, signal: neverAborted, conditionalPut: true, unlock: undefined, label: 'test' };
  const repository = await initRepository(storage, init);
  const { sealed } = await backUp(repository, { files: new Map([['a', someBytes(random, 5000)]]), random });
  const lines: string[] = [];
  const again = await takeBackup(
    {
      backup: sealed.backup,
      service: 'db',
      lineage: 'lineage-a',
      writer: 'test',
      level: 1,
      name: 'again',
      server: {},
      serverFacts,
      configuration: [],
    },
    {
      repository,
      engine: untouched,
      clock: systemClock,
      program: 'holdfast test',
      signal: neverAborted,
      onProgress: () => undefined,
      onLog: (line) => lines.push(line),
    },
  );
  expect(again).toEqual(sealed);
  expect(lines).toEqual([`holdfast: backup ${sealed.backup} was sealed by attempt ${sealed.attempt}`]);
});
