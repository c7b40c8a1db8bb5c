import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prepareDirectory } from '../../src/storage/directory.ts';
import { parseLocation } from '../../src/storage/location.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import { startVersitygw, type VersitygwServer } from '../support/servers.ts';

const run = promisify(execFile);

test('a directory is opened by its location', async () => {
  const root = await mkdtemp(join(tmpdir(), 'hf-open-'));
  try {
    await prepareDirectory(root);
    await using storage = await openStorage(parseLocation(`file://${root}`));
    await storage.put('a', Buffer.from('1'));
    expect(storage.description).toBe(root);
    expect((await storage.get('a')).toString()).toBe('1');
  } finally {
    await rm(root, { recursive: true });
  }
});

describe('a bucket', () => {
  let server: VersitygwServer;
  let location: string;
  beforeAll(async () => {
    server = await startVersitygw();
    await server.createBucket('open');
    location = `s3://open/folder?endpoint=${server.endpoint}`;
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('is opened by its location and secrets', async () => {
    const secrets = { accessKeyId: server.accessKey, secretAccessKey: server.secretKey };
    await using storage = await openStorage(parseLocation(location), { secrets });
    await storage.put('a', Buffer.from('1'));
    expect(storage.description).toBe('s3://open/folder');
    expect((await storage.get('a')).toString()).toBe('1');
  });

  test('takes the credentials of the environment where none are given', async () => {
    const environment = { AWS_ACCESS_KEY_ID: server.accessKey, AWS_SECRET_ACCESS_KEY: server.secretKey };
    expect(await storeInOwnProcess(environment)).toBe('stored');
  });

  test('says that there are none', async () => {
    expect(await storeInOwnProcess({})).toBe('storage-credentials-missing');
  });

  async function storeInOwnProcess(environment: Record<string, string>): Promise<string> {
    // Nothing of the machine's own: no profile, no role.
    const nowhere = { HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true' };
    const arguments_ = ['--input-type=module', '--eval', storeOnce, location];
    const options = { cwd: import.meta.dirname, env: { ...nowhere, ...environment } };
    return (await run(process.execPath, arguments_, options)).stdout.trim();
  }
});

const storeOnce = `
  import { parseLocation } from '../../src/storage/location.ts';
  import { openStorage } from '../../src/storage/open-storage.ts';
  const storage = await openStorage(parseLocation(process.argv[1]));
  console.log(await storage.put('b', Buffer.from('2')).catch(({ code }) => code));
`;
