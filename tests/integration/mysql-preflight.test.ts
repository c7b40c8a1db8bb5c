import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { preflightMysql } from '../../src/engine/preflight-mysql.ts';
import { readServerFacts } from '../../src/engine/server-facts.ts';
import { mysqlOf } from '../support/mysql-series.ts';
import { type DatabaseServer, startMysql } from '../support/servers.ts';

const signal = new AbortController().signal;
const { bin, version, whyNot } = mysqlOf('9.7');

describe('the check before a backup of MySQL 9.7', () => {
  let server: DatabaseServer;
  beforeAll(async () => {
    if (whyNot === undefined) server = await startMysql({ bin });
  });
  beforeEach(({ skip }) => skip(whyNot !== undefined, whyNot));
  afterAll(async () => server?.[Symbol.asyncDispose]());

  const check = async () => {
    const connection = { socket: server.socket, user: 'holdfast', password: 'secret' };
    const facts = await readServerFacts(connection, { signal });
    const found = await preflightMysql('9.7.0', { server: connection, facts, signal });
    return { facts, errors: found.filter(({ level }) => level === 'error') };
  };

  test('names the privileges that are missing, and has none to name with those of the documentation', async () => {
    await server.query("CREATE USER holdfast@localhost IDENTIFIED BY 'secret'");
    const before = await check();
    expect(before.errors).toMatchObject([
      { code: 'missing-privilege', message: expect.stringContaining('BACKUP_ADMIN') },
    ]);
    // Which tables lie elsewhere such a user may not know.
    expect(before.facts.tablespacesOutside).toBeUndefined();

    const page = await readFile('docs/engines.md', 'utf8');
    const [, mysql = ''] = [...page.matchAll(/^```sql\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
    await server.query(mysql);
    const { facts, errors } = await check();
    expect(errors).toEqual([]);
    expect(facts).toMatchObject({ vendor: 'MySQL', tablespacesOutside: [], dataBytes: expect.any(Number) });
    expect(facts.version).toContain(version);
  });

  test('ends where the server writes no redo log', async () => {
    await server.query('ALTER INSTANCE DISABLE INNODB REDO_LOG');
    expect((await check()).errors.map(({ code }) => code)).toContain('redo-disabled');
    await server.query('ALTER INSTANCE ENABLE INNODB REDO_LOG');
  });
});
