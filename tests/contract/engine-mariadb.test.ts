import { createReadStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../../scripts/setup/run.ts';
import { decodeXbstream } from '../../src/engine/xbstream-decode.ts';
import { encodeXbstream } from '../../src/engine/xbstream-encode.ts';
import { makeMariadbBench, mariadbPrograms } from './engine-mariadb-bench.ts';
import { describeEngine, newFolder } from './engine.ts';

for (const which of ['10.11', 'newest'] as const) {
  const bin = await mariadbPrograms(which);
  if (bin === undefined) {
    describe(`engine mariadb-backup ${which}`, () => {
      it('backs up a real server', ({ skip }) => skip('this distribution has no packages of the newest MariaDB'));
    });
  } else {
    describeEngine(`mariadb-backup ${which}`, () => makeMariadbBench(bin));
  }
}

it('mbstream extracts what was decoded and encoded again, as it extracts the original', async () => {
  const bin = (await mariadbPrograms('10.11')) ?? '';
  await using bench = await makeMariadbBench(bin);
  await using folder = await newFolder();
  const [first, second] = [join(folder.path, 'first.xbs'), join(folder.path, 'second.xbs')];
  const { engine, server } = bench;
  const { pieces } = engine.backup(server, { signal: new AbortController().signal, onLog: () => undefined });
  await writeFile(first, encodeXbstream(pieces));
  await writeFile(second, encodeXbstream(decodeXbstream(createReadStream(first, { highWaterMark: 77_777 }))));
  for (const stream of [first, second]) {
    await run('sh', ['-c', `mkdir ${stream}.d && ${bin}/mbstream -x -C ${stream}.d < ${stream}`]);
  }
  await run('diff', ['-r', `${first}.d`, `${second}.d`]);
  expect(await readFile(`${second}.d/backup-my.cnf`, 'utf8')).toContain('innodb_page_size=16384');
});
