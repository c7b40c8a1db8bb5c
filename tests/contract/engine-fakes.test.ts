import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureMariadb } from '../../scripts/setup/mariadb.ts';
import type { BackupRunOptions, Engine } from '../../src/engine/engine.ts';
import { findEngines } from '../../src/engine/find-engines.ts';
import { xtrabackup } from '../../src/engine/xtrabackup.ts';
import { type MariadbServer, startMariadb } from '../support/servers.ts';
import { drain } from './engine.ts';

const fakes = join(import.meta.dirname, '../fixtures/bin');
const path = `${fakes}:${dirname(process.execPath)}:/usr/bin:/bin`;
const password = 'geheimnisvoll';

// Endings that no real tool can be brought to at will. The server behind is a real one, as engines watch it meanwhile.
describe('an engine whose tool', () => {
  let database: MariadbServer;
  beforeAll(async () => {
    const { bin } = await ensureMariadb();
    // It says that it is a MySQL, as engines refuse servers that their tool does not fit.
    database = await startMariadb({ bin, options: ['--log-bin=bin', '--version=8.0.42'] });
    await database.query(`CREATE USER bk@localhost IDENTIFIED BY '${password}'`);
    return () => database[Symbol.asyncDispose]();
  });

  function backup(engine: Engine, options: Partial<BackupRunOptions> = {}): ReturnType<Engine['backup']> {
    const server = { socket: database.socket, user: 'bk', password };
    return engine.backup(server, { signal: new AbortController().signal, onLog: () => undefined, ...options });
  }

  it.each([
    ['8.0.35-30', '8.0.42'],
    ['8.4.0-4', '8.4.6'],
    ['9.7.1-rc1', '9.7.4'],
  ])('is xtrabackup %s and does well gives its facts of a server %s', async (tool, version) => {
    await using own = await startMariadb({ bin: database.bin, options: [`--version=${version}`] });
    const server = { socket: own.socket, user: 'root' };
    const run = fake('good', tool).backup(server, { signal: new AbortController().signal, onLog: () => undefined });
    await drain(run);
    expect(run.facts()).toEqual({
      toolVersion: tool,
      serverVersion: '8.0.42',
      fromLsn: '0',
      toLsn: '20351037',
      lastLsn: '20351047',
      binlog: { file: 'binlog.000018', position: '157', gtid: '24e1c5a6-0000-11f0-8000-000000000001:1-5' },
    });
  });

  it('does not fit the server is not even started', async () => {
    await expect(drain(backup(fake('good', '8.4.0-4')))).rejects.toMatchObject({
      code: 'tool-version',
      name: 'PermanentFailure',
    });
  });

  it.each([
    ['exit-7', 'tool-failed'],
    ['segfault', 'tool-killed'],
    ['not-completed', 'tool-not-completed'],
    ['file-missing', 'files-missing'],
    ['file-without-end', 'xbstream-truncated'],
    ['cut-inside', 'xbstream-truncated'],
    ['bit-flipped', 'xbstream-checksum'],
    ['garbage-after', 'xbstream-magic'],
  ])('ends with "%s" after its stream has made no backup', async (ending, code) => {
    const run = backup(fake(ending));
    await expect(drain(run)).rejects.toMatchObject({ code, nextStep: expect.stringMatching(/\.$/) });
    expect(() => run.facts()).toThrow('no facts yet');
  });

  it.each(['long-line', 'harmless-error'])('prints a %s does well all the same', async (ending) => {
    await expect(drain(backup(fake(ending)))).resolves.toBeUndefined();
  });

  it('prints the password does not show it', async () => {
    const log: string[] = [];
    await drain(backup(fake('prints-the-password'), { onLog: (line) => log.push(line) }));
    expect(log.find((line) => line.includes('[xtrabackup]'))).toContain('password=***');
    expect(log.join('\n')).not.toContain(password);
  });

  it('ignores SIGTERM is killed when the run is cancelled', { timeout: 20_000 }, async () => {
    const controller = new AbortController();
    const run = backup(fake('ignores-sigterm'), { signal: controller.signal });
    await expect(drain(run, () => controller.abort(new Error('cancelled')))).rejects.toThrow('cancelled');
  });

  it('holds a lock while nobody takes its data is ended at the limit', async () => {
    const run = backup(fake('hangs-locked'), { lockedStallMs: 300 });
    const pieces = run.pieces[Symbol.asyncIterator]();
    await pieces.next();
    expect(run.isLocked()).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 900));
    await expect(pieces.next()).rejects.toMatchObject({ code: 'store-stalled-while-locked', name: 'Failure' });
    expect(run.isLocked()).toBe(false);
  });
});

describe('looking for engines', () => {
  it('asks each program of the right name for its version', async () => {
    const { engines, findings } = await find('good', '8.4.0-4');
    expect(engines.map(({ name, version }) => `${name} ${version}`)).toEqual([
      'mariadb-backup 8.4.0-4-MariaDB',
      'xtrabackup 8.4.0-4',
    ]);
    expect(findings).toEqual([]);
  });

  it('tells of programs that do not say it, and finds nothing on an empty PATH', async () => {
    const { engines, findings } = await find('unknown-version', '8.4.0-4');
    expect(engines).toEqual([]);
    expect(findings).toMatchObject([{ code: 'tool-unusable' }, { code: 'tool-unusable' }]);
    expect(await findEngines({ path: '/nonexistent', signal: new AbortController().signal })).toEqual({
      engines: [],
      findings: [],
    });
  });
});

function fake(ending: string, version = '8.0.35-30'): Engine {
  const env = { PATH: path, FAKE_ENDING: ending, FAKE_VERSION: version };
  return xtrabackup({ command: join(fakes, 'xtrabackup'), env, version });
}

async function find(ending: string, version: string): ReturnType<typeof findEngines> {
  const env = { FAKE_ENDING: ending, FAKE_VERSION: version };
  return findEngines({ path, env, signal: new AbortController().signal });
}
