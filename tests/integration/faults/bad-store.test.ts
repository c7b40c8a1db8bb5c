import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer } from '../../contract/s3-fixture.ts';
import { type CliRun, failed, holdfast } from '../../support/cli.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { listedStates, type ProtectedServer, startProtectedServer } from '../../support/protected-server.ts';
import { startVersitygw, type VersitygwServer } from '../../support/servers.ts';
import { smallDisk } from '../../support/tmpfs.ts';

const stack = new AsyncDisposableStack();
let server: ProtectedServer;
let store: VersitygwServer;
let proxy: FaultProxy;

beforeAll(async () => {
  server = stack.use(await startProtectedServer());
  store = stack.use(await startVersitygw());
  await store.createBucket('good');
  proxy = stack.use(await startFaultProxy(store.endpoint));
  const { code, stderr } = await holdfast(['repository', 'init', ...bucket('good')], { env: credentials() });
  if (code !== 0) throw new Error(stderr);
});
afterAll(() => stack.disposeAsync());

function bucket(name: string): readonly string[] {
  const location = `s3://${name}/db?region=${store.region}&endpoint=${encodeURIComponent(proxy.endpoint)}&addressing=path`;
  return server.repositoryIn(location);
}

function credentials(): Record<string, string> {
  return { HOLDFAST_S3_ACCESS_KEY_ID: store.accessKey, HOLDFAST_S3_SECRET_ACCESS_KEY: store.secretKey };
}

async function backUpTo(repository: readonly string[], more: readonly string[] = []): Promise<CliRun> {
  const args = ['backup', '--retries', '0', ...repository, ...server.serverArguments, ...more];
  const run = await holdfast(args, { env: credentials() });
  expect(run.stdout + run.stderr).not.toContain(store.secretKey);
  return run;
}

describe('a backup ends with a clear error when', () => {
  it('the disk of the repository is full; with room, the same backup goes on', async ({ skip }) => {
    using disk = smallDisk('6m', skip);
    const name = join(disk.path, 'store');
    await mkdir(name);
    const repository = server.repositoryIn(name);
    expect(await holdfast(['repository', 'init', ...repository])).toMatchObject({ code: 0 });
    const run = await backUpTo(repository, ['--compression', '0']);
    expect(failed(run)).toEqual({
      code: 1,
      message: expect.stringMatching(/the disk or the quota is full/),
      next: expect.stringMatching(/^Free space/),
    });
    expect(await listedStates(repository)).toEqual(['unsettled']);
    disk.resize('100m');
    const again = await backUpTo(repository, ['--resume', idToResume(run)]);
    expect(again, again.stderr).toMatchObject({ code: 0 });
    expect(await listedStates(repository)).toEqual(['sealed']);
  });

  it('the bucket is missing', async () => {
    expect(failed(await backUpTo(bucket('absent')))).toEqual({
      code: 3,
      message: expect.stringMatching(/bucket/),
      next: expect.stringMatching(/\.$/),
    });
  });

  it('the store is read-only', async () => {
    proxy.setRules({ method: 'PUT', fault: answer(403, 'AccessDenied') });
    expect(failed(await backUpTo(bucket('good')))).toEqual({
      code: 4,
      message: expect.stringMatching(/refuse|denied|not allow/i),
      next: expect.stringMatching(/\.$/),
    });
    proxy.setRules();
  });

  it('the bucket vanishes midway; once it is back, the same backup goes on', async () => {
    proxy.setRules({ method: 'PUT', path: '.segment', fault: { kind: 'delay', ms: 100 } });
    const running = backUpTo(bucket('good'), ['--compression', '0']);
    while (proxy.faults() < 2) await sleep(5);
    proxy.setRules({ fault: answer(404, 'NoSuchBucket') });
    const run = await running;
    proxy.setRules();
    expect(failed(run)).toEqual({
      code: 3,
      message: expect.stringMatching(/bucket/),
      next: expect.stringMatching(/\.$/),
    });
    await expectResumed(bucket('good'), run);
  });

  it('the directory of the repository is moved away midway; once it is back, the same backup goes on', async () => {
    const vanishing = async (name: string) => {
      const repository = await server.newRepository(name);
      const [path, away] = [join(server.folder, name), join(server.folder, `${name}-away`)];
      const vanish = (async () => {
        const hasSegment = async (): Promise<boolean> =>
          (await readdir(path, { recursive: true })).some((each) => each.endsWith('.segment'));
        while (!(await hasSegment()));
        await rename(path, away);
      })();
      const run = await backUpTo(repository, ['--compression', '0']);
      await vanish;
      await rename(away, path);
      return { repository, run };
    };
    let { repository, run } = await vanishing('vanishing');
    // It was sealed before its directory was gone: nothing was tried.
    for (let tries = 2; tries <= 10 && (await listedStates(repository)).includes('sealed'); tries += 1)
      ({ repository, run } = await vanishing(`vanishing-${tries}`));
    expect(failed(run)).toEqual({
      code: 3,
      message: expect.stringMatching(/^Cannot .*vanishing/),
      next: expect.stringMatching(/\.$/),
    });
    expect(await listedStates(repository)).toEqual(['unsettled']);
    await expectResumed(repository, run);
  });
});

/** The failure said how to go on: that takes up what was uploaded, and only then there is a backup. */
async function expectResumed(repository: readonly string[], failure: CliRun): Promise<void> {
  const again = await backUpTo(repository, ['--resume', idToResume(failure), '-v']);
  expect(again, again.stderr).toMatchObject({ code: 0 });
  expect(again.stdout + again.stderr).toMatch(/[1-9]\d* segments of earlier attempts are there/);
  expect(await listedStates(repository, credentials())).toEqual(['sealed']);
}

function idToResume({ stderr }: CliRun): string {
  return /--resume (\S+)/.exec(stderr)?.[1] ?? '';
}
