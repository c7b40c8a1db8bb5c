import { stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ensureMariadb, ensureMariadbSid } from '../../scripts/setup/mariadb.ts';
import { startMariadb, startVersitygw } from '../support/servers.ts';

const sid = await ensureMariadbSid();

test.for([await ensureMariadb(), ...(sid ? [sid] : [])])(
  'MariaDB $version starts, answers and goes',
  async ({ bin, version }) => {
    let directory: string;
    {
      await using server = await startMariadb({ bin, options: ['--log-bin=bin', '--server-id=7'] });
      directory = server.dataDirectory;
      const [row] = await server.query('SELECT VERSION(), @@server_id, @@plugin_dir');
      expect(row?.[0]).toContain(version.split('-')[0]);
      expect(row?.[1]).toBe('7');
      await expect(server.query('SELECT nothing')).rejects.toThrow('Unknown column');
      await server.stop();
      await expect(server.query('SELECT 1')).rejects.toThrow("Can't connect");
    }
    await expect(stat(directory)).rejects.toThrow('ENOENT');
  },
);

test('the S3 server starts, answers and goes', async () => {
  await using server = await startVersitygw();
  await server.createBucket('some-bucket');
  const answer = await fetch(`${server.endpoint}/some-bucket`);
  expect(answer.status).toBe(403);
  await server.stop();
  await expect(fetch(server.endpoint)).rejects.toThrow();
});
