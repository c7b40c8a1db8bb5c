import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Agent } from '../../src/agent/main.ts';
import type { ProgressEvent } from '../../src/control/progress-hub.ts';
import { isPinned } from '../../src/core/proof.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { listBackups } from '../../src/repository/list.ts';
import { readNotes } from '../../src/repository/notes.ts';
import { isDeleted, readSettlement } from '../../src/repository/settle.ts';
import { type AgentHome, makeAgentHome, startTestAgent } from '../support/agents.ts';
import { ControlLab, labPassphrase, managedPlace } from '../support/control-lab.ts';
import { type MariadbServer, startMariadb } from '../support/servers.ts';

const signal = new AbortController().signal;

describe('the control loops with an agent beside a MariaDB server', () => {
  const stack = new AsyncDisposableStack();
  let server: MariadbServer;
  let home: AgentHome;
  let agent: Agent;
  let lab: ControlLab;
  /** Added to the time of the manager. */
  let ahead = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + ahead };

  beforeAll(async () => {
    server = stack.use(await startMariadb({ options: ['--log-bin=bin', '--server-id=5'] }));
    await server.query(
      'CREATE DATABASE app; USE app; CREATE TABLE t (id INT PRIMARY KEY, t TEXT) SELECT seq AS id, MD5(seq) AS t FROM seq_1_to_20000',
    );
    home = stack.use(await makeAgentHome({ server, config: { managedLocations: ['*'] } }));
    agent = stack.use(await startTestAgent(home));
    lab = stack.use(await ControlLab.start({ home, agent, clock }));
  });
  afterAll(() => stack.disposeAsync());

  test('a backup goes from pending to succeeded, is watched meanwhile, and is sealed in its repository', async () => {
    const seen: ProgressEvent[] = [];
    using _listening = lab.control.progress.subscribe((event) => seen.push(event));
    const preflight = await lab.control.preflightBackup(
      { service: 'shop', location: 'main', folder: 'shop' },
      { signal },
    );
    expect(preflight).toMatchObject({ isGo: true, sharedWith: [] });
    const made = await lab.backUp('first');
    expect(made.status).toMatchObject({ state: 'Pending', attempt: 0 });
    await expect(lab.backUp('first')).rejects.toMatchObject({ code: 'name-taken' });
    const { status } = await lab.ended('Backup', 'first');
    expect(status).toMatchObject({
      state: 'Succeeded',
      agent: 'db1',
      technology: 'MariaDB',
      attempt: 1,
      proof: { level: 'sealed' },
      result: { backup: made.status.id, name: 'first', service: 'shop' },
      waitingFor: [],
    });
    expect(status.attempts).toMatchObject([{ number: 1, endedAt: status.endedAt }]);
    expect(status.failure).toBeUndefined();
    expect(seen.length).toBeGreaterThan(0);
    expect(lab.control.progress.progressOf('Backup', 'first')).toBeUndefined();
    const settlement = await readSettlement(await lab.repository(), status.id, signal);
    expect(settlement).toMatchObject({ state: 'sealed' });
    expect((await lab.get('Backup', 'first')).spec).not.toHaveProperty('passphrase');
    expect(JSON.stringify(await lab.get('Backup', 'first'))).not.toContain(labPassphrase);
  });

  test('the service shows what its agent says of the server', async () => {
    expect((await lab.catalog.get('Service', 'shop'))?.status).toMatchObject({ state: 'Online', vendor: 'MariaDB' });
  });

  test('its log is read from the agent, and from the repository when the agent has forgotten it', async () => {
    const lines = async (from: number): Promise<string[]> => {
      const all: string[] = [];
      for await (const line of lab.control.followLog('Backup', 'first', { from, follow: true, signal }))
        all.push(`${line.number} ${line.text}`);
      return all;
    };
    const told = await lines(0);
    expect(told.length).toBeGreaterThan(5);
    expect(await lines(3)).toEqual(told.slice(3));
    await agent[Symbol.asyncDispose]();
    await rm(join(home.state, 'jobs'), { recursive: true });
    agent = stack.use(await startTestAgent(home));
    await lab.useAgent(agent);
    const kept = await lines(0);
    expect(kept.length).toBeGreaterThan(5);
    expect(kept.join('\n')).toContain('mariabackup');
  });

  test('a running backup is cancelled, ends for good, and can never be sealed later', async () => {
    const { status } = await lab.backUp('unwanted', { retry: { mode: 'auto', retries: 3, intervalSeconds: 1 } });
    await lab.until('Backup', 'unwanted', (run) => run.status.state === 'Running');
    await expect(lab.control.deleteBackup('unwanted')).rejects.toMatchObject({ code: 'still-running' });
    await lab.control.cancel('Backup', 'unwanted');
    await lab.control.cancel('Backup', 'unwanted');
    const ended = await lab.ended('Backup', 'unwanted');
    expect(ended.status).toMatchObject({ state: 'Cancelled', attempt: 1 });
    expect(await readSettlement(await lab.repository(), status.id, signal)).toMatchObject({ state: 'void' });
    await expect(lab.control.retryBackup('unwanted')).rejects.toMatchObject({ code: 'not-failed' });
    expect((await lab.client.get('backup', status.id, { signal })).state).toBe('Cancelled');
  });

  test('two backups of one agent wait for each other, and the second says for whom', async () => {
    await lab.backUp('one');
    await lab.backUp('two', { folder: 'elsewhere' });
    const waiting = await lab.until('Backup', 'two', ({ status }) => status.waitingFor.length > 0);
    expect(waiting.status).toMatchObject({
      state: 'Pending',
      waitingFor: ['Backup one of service shop is under way at agent db1.'],
    });
    const one = await lab.ended('Backup', 'one');
    const two = await lab.ended('Backup', 'two');
    expect([one.status.state, two.status.state]).toEqual(['Succeeded', 'Succeeded']);
    expect((two.status.startedAt ?? '') >= (one.status.endedAt ?? '')).toBe(true);
    expect(one.status.result?.parent).toBeDefined();
  });

  test('a failed attempt is followed by another one, by itself as often as was said, and once when a person asks', async () => {
    await server.query('RENAME TABLE app.t TO app.u');
    await lab.catalog.create('StorageLocation', 'gone', {
      spec: { place: { type: 'directory', path: `${managedPlace(home)}-gone` }, isEncrypted: false, description: '' },
      status: { state: 'Unknown', findings: [], secrets: [] },
    });
    // What no retry can mend ends at once.
    await lab.backUp('hopeless', { location: 'gone', retry: { mode: 'auto', retries: 3, intervalSeconds: 1 } });
    const hopeless = await lab.ended('Backup', 'hopeless');
    expect(hopeless.status).toMatchObject({ state: 'Failed', attempt: 1, failure: { isPermanent: true } });
    expect(hopeless.status.failure?.nextStep).toBeDefined();
    await lab.control.retryBackup('hopeless');
    await lab.control.retryBackup('hopeless');
    await lab.until('Backup', 'hopeless', ({ status }) => status.attempt === 2 && status.state === 'Failed');
    await expect(lab.control.retryBackup('first')).rejects.toMatchObject({ code: 'not-failed' });
    expect((await lab.get('Backup', 'hopeless')).status).toMatchObject({ attempt: 2, retriesTaken: 1 });

    // An agent that is silent for too long costs an attempt; the next one succeeds.
    lab.isCut = true;
    lab.lostAfterMs = 3_000;
    await lab.restart();
    await lab.backUp('patient', { retry: { mode: 'auto', retries: 1, intervalSeconds: 1 } });
    const silent = await lab.until('Backup', 'patient', ({ status }) => status.waitingFor.length > 0);
    expect(silent.status).toMatchObject({
      state: 'Starting',
      waitingFor: [expect.stringContaining('does not answer')],
    });
    await lab.until('Backup', 'patient', ({ status }) => status.state === 'Waiting');
    lab.isCut = false;
    lab.lostAfterMs = undefined;
    const patient = await lab.ended('Backup', 'patient');
    expect(patient.status).toMatchObject({
      state: 'Succeeded',
      attempt: 2,
      attempts: [{ failure: { code: 'agent-lost' } }, { number: 2 }],
    });
  });

  test('what is under way goes on when the manager is restarted, also what ended meanwhile', async () => {
    const { status } = await lab.backUp('through');
    await lab.until('Backup', 'through', (run) => run.status.state === 'Running');
    await lab.restart();
    expect((await lab.ended('Backup', 'through')).status).toMatchObject({ state: 'Succeeded', attempt: 1 });

    await lab.backUp('alone');
    await lab.until('Backup', 'alone', (run) => run.status.state === 'Running');
    lab.isCut = true;
    await lab.restart();
    await expect
      .poll(async () => (await lab.client.list({ signal })).every((job) => job.state !== 'Running'), {
        timeout: 30_000,
      })
      .toBe(true);
    lab.isCut = false;
    expect((await lab.ended('Backup', 'alone')).status).toMatchObject({ state: 'Succeeded', attempt: 1 });
    const jobs = await lab.client.list({ signal });
    expect(jobs.filter(({ id }) => id === status.id)).toHaveLength(1);
  });

  test('a backup whose agent was replaced is looked for in the repository before its attempt counts as failed', async () => {
    const { status } = await lab.backUp('orphan');
    await lab.until('Backup', 'orphan', (run) => run.status.state === 'Running');
    lab.isCut = true;
    await expect
      .poll(async () => readSettlement(await lab.repository(), status.id, signal), { timeout: 30_000 })
      .toMatchObject({ state: 'sealed' });
    await agent[Symbol.asyncDispose]();
    await rm(join(home.state, 'jobs'), { recursive: true });
    agent = stack.use(await startTestAgent(home));
    await lab.useAgent(agent);
    lab.isCut = false;
    expect((await lab.ended('Backup', 'orphan')).status).toMatchObject({ state: 'Succeeded', attempt: 1 });
  });

  test('a drill proves a backup, and a restore goes where its plan says', async () => {
    const places = await lab.control.restoreTargets('first');
    expect(places).toMatchObject([
      { service: 'shop', agent: 'db1', isSame: true, isCompatible: true },
      { agent: 'db1', isCompatible: true, directories: [home.restores] },
    ]);
    await lab.control.createDrill({ name: 'proof', backup: 'first', depth: 'quick', withChecksums: false });
    expect((await lab.ended('Drill', 'proof')).status).toMatchObject({
      state: 'Succeeded',
      result: { serverVersion: expect.any(String) },
    });
    const { proof } = (await lab.get('Backup', 'first')).status;
    expect(proof).toMatchObject({
      level: 'proven',
      steps: expect.arrayContaining([expect.objectContaining({ name: 'check' })]),
    });

    const target = { directory: join(home.restores, 'copy') };
    const wish = { backup: 'first', agent: 'db1', target, identity: 'keep', replication: 'stopped' } as const;
    const plan = await lab.control.planRestore(wish, { signal });
    expect(plan).toMatchObject({ isGo: true });
    expect(plan.steps.map(({ name, expectedMs }) => [name, expectedMs !== undefined])).toEqual([
      ['download', true],
      ['prepare', true],
      ['sync', true],
      ['place', false],
    ]);
    const { name } = await lab.control.createRestore(wish);
    expect((await lab.ended('Restore', name)).status).toMatchObject({
      state: 'Succeeded',
      result: { target: target.directory },
    });
    const again = await lab.control.planRestore(wish, { signal });
    expect(again.isGo).toBe(false);
  });

  test('a pin is kept in the repository, and a pinned backup is not deleted', async () => {
    const { status } = await lab.control.setPinned('first', true);
    await lab.until('Backup', 'first', (run) => run.status.isPinned);
    expect(isPinned(await readNotes(await lab.repository(), status.id, signal))).toBe(true);
    await expect(lab.control.deleteBackup('first')).rejects.toMatchObject({ code: 'pinned' });
    await lab.control.setPinned('first', false);
    await lab.until('Backup', 'first', (run) => !run.status.isPinned);
    expect(isPinned(await readNotes(await lab.repository(), status.id, signal))).toBe(false);
  });

  test('deleting says what it frees, hides the backup at once, and removes data and record a day later', async () => {
    const freed = await lab.control.frees('first', { signal });
    expect(freed.freedBytes).toBeGreaterThan(0);
    expect(freed.usedBy).toContain('one');
    const { status } = await lab.control.deleteBackup('first');
    await lab.until('Backup', 'first', (run) => run.status.state === 'Deleted');
    const repository = await lab.repository();
    expect(await isDeleted(repository, status.id, signal)).toBe(true);
    expect((await listBackups(repository, { signal })).map(({ backup }) => backup)).not.toContain(status.id);
    await expect(
      lab.control.createDrill({ backup: 'first', depth: 'quick', withChecksums: false }),
    ).rejects.toMatchObject({
      code: 'backup-not-restorable',
    });
    for (const name of ['unwanted', 'hopeless']) {
      await lab.control.deleteBackup(name);
      await lab.until('Backup', name, (run) => run.status.state === 'Deleted');
    }
    ahead += 25 * 3_600_000;
    await lab.restart();
    // What failed before it stored anything leaves nothing behind; the others wait for the store's own 24 hours.
    await lab.removed('hopeless');
    expect(await lab.get('Backup', 'first')).toMatchObject({ status: { state: 'Deleted' } });
    lab.agedMs = 48 * 3_600_000;
    await lab.restart();
    await lab.removed('first');
    await lab.removed('unwanted');
    expect(await readSettlement(repository, status.id, signal)).toMatchObject({ state: 'sealed' });
    const { freedBytes } = await lab.control.frees('one', { signal });
    expect(freedBytes).toBeGreaterThan(0);
  });

  test('a location is tested verb by verb', async () => {
    const { status } = await lab.control.testStoredLocation('main', { signal });
    expect(status).toMatchObject({ state: 'Working' });
    expect(status.findings.map(({ code }) => code)).toEqual([
      'store-put',
      'store-get',
      'store-get-range',
      'store-put-if-absent',
      'store-list',
      'store-delete',
    ]);
    const gone = await lab.control.testStoredLocation('gone', { signal });
    expect(gone.status).toMatchObject({ state: 'Failing' });
  });
});
