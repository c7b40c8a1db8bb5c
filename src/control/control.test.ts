import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { neverAborted as signal } from '../../tests/support/repositories.ts';
import { StandInLab } from '../../tests/support/stand-in-lab.ts';
import { Conflict, Failure, PermanentFailure } from '../lib/failure.ts';
import { readSettlement } from '../repository/settle.ts';

const unreachable = new Failure('agent-unreachable', 'Cannot reach the agent');
let lab: StandInLab;
beforeEach(async () => {
  lab = await StandInLab.start();
});
afterEach(async () => lab[Symbol.asyncDispose]());

describe('a backup', () => {
  it('is asked for once, polled twice a second, and succeeded when its seal was read', async () => {
    const id = await lab.running();
    const polls = lab.agent.count('get');
    await lab.pass(10_000);
    expect(lab.agent.count('start')).toBe(1);
    expect(lab.agent.count('get') - polls).toBeGreaterThanOrEqual(18);
    expect(lab.agent.count('get') - polls).toBeLessThanOrEqual(24);
    await lab.seal(id);
    lab.agent.becomes(id, 'Succeeded');
    await lab.pass(1_000);
    expect(await lab.show()).toMatchObject({ state: 'Succeeded', result: { backup: id }, technology: 'MariaDB' });
  });

  it('is not called succeeded when its agent says so and there is no seal', async () => {
    const id = await lab.running();
    lab.agent.becomes(id, 'Succeeded');
    await lab.pass(1_000);
    expect(await lab.show()).toMatchObject({ state: 'Failed', failure: { code: 'not-sealed' } });
    expect((await lab.show()).proof).toBeUndefined();
  });

  it('waits for a store that does not answer before it is called succeeded', async () => {
    const id = await lab.running();
    await lab.seal(id);
    lab.isStoreDown = true;
    lab.agent.becomes(id, 'Succeeded');
    await lab.pass(60_000);
    expect(await lab.show()).toMatchObject({ state: 'Running', waitingFor: [expect.stringContaining('read back')] });
    lab.isStoreDown = false;
    await lab.pass(15_000);
    expect(await lab.show()).toMatchObject({ state: 'Succeeded', waitingFor: [] });
  });

  it('waits while its agent does what others started, and is counted once', async () => {
    lab.agent.troubles.set('start', new Conflict('busy', 'Cannot start it as another job runs'));
    await lab.backup();
    await lab.pass(1_000);
    expect(await lab.show()).toMatchObject({ state: 'Pending', attempt: 0, attempts: [] });
    expect((await lab.show()).waitingFor).toHaveLength(1);
    await lab.pass(30_000);
    lab.agent.troubles.clear();
    await lab.pass(15_000);
    expect(await lab.show()).toMatchObject({ state: 'Running', attempt: 1, attempts: [{ number: 1 }], waitingFor: [] });
  });

  it('is followed where the agent has it already, begun before a crash with other words', async () => {
    const id = await lab.running();
    await lab.restart();
    lab.agent.troubles.set('start', new Conflict('attempt-differs', 'Cannot start it'));
    await lab.pass(1_000);
    const found = await lab.catalog.get('Backup', 'b');
    if (found === undefined) throw new Error('it is gone');
    await lab.catalog.replace({ ...found, status: { ...found.status, state: 'Starting' } });
    await lab.pass(1_000);
    expect(await lab.show()).toMatchObject({ state: 'Running', attempt: 1 });
    await lab.seal(id);
    lab.agent.becomes(id, 'Succeeded');
    await lab.pass(1_000);
    expect((await lab.show()).state).toBe('Succeeded');
  });

  it('fails at once when no retry can mend it', async () => {
    lab.agent.trouble = new PermanentFailure('agent-not-trusted', 'Cannot talk to the agent');
    await lab.backup('b', { mode: 'auto', retries: 5, intervalSeconds: 10 });
    await lab.pass(1_000);
    expect(await lab.show()).toMatchObject({ state: 'Failed', attempt: 1, failure: { code: 'agent-not-trusted' } });
  });

  it('is tried again as often as was said and after the time that was said, also over a restart', async () => {
    const failure = { code: 'x', message: 'Cannot', evidence: [], causes: [], isPermanent: false };
    const id = await lab.running('b', { mode: 'auto', retries: 2, intervalSeconds: 600 });
    lab.agent.becomes(id, 'Failed', { failure });
    await lab.pass(1_000);
    expect(await lab.show()).toMatchObject({ state: 'Waiting', attempt: 1, failure: { code: 'x' } });
    await lab.restart();
    await lab.pass(500_000);
    expect((await lab.show()).state).toBe('Waiting');
    await lab.pass(110_000);
    expect(await lab.show()).toMatchObject({ state: 'Running', attempt: 2 });
    lab.agent.becomes(id, 'Failed', { failure });
    await lab.pass(1_000);
    await lab.control.retryBackup('b');
    await lab.control.retryBackup('b');
    await lab.pass(1_000);
    expect(await lab.show()).toMatchObject({ state: 'Running', attempt: 3, retriesTaken: 1 });
    for (const attempt of [3, 4]) {
      expect((await lab.show()).attempt).toBe(attempt);
      lab.agent.becomes(id, 'Failed', { failure });
      await lab.pass(630_000);
    }
    expect(await lab.show()).toMatchObject({ state: 'Failed', attempt: 4 });
    expect(lab.agent.count('start')).toBe(4);
  });

  it('is not asked for when an attempt that was believed lost had sealed it', async () => {
    const id = await lab.running('b', { mode: 'auto', retries: 1, intervalSeconds: 60 });
    lab.agent.trouble = unreachable;
    await lab.pass(300_000);
    expect(await lab.show()).toMatchObject({
      state: 'Running',
      waitingFor: [expect.stringContaining('does not answer')],
    });
    await lab.pass(310_000);
    expect(await lab.show()).toMatchObject({ state: 'Waiting', failure: { code: 'agent-lost', isPermanent: false } });
    await lab.seal(id);
    await lab.pass(70_000);
    expect(await lab.show()).toMatchObject({ state: 'Succeeded', attempt: 2 });
    expect(lab.agent.count('start')).toBe(1);
  });

  it('lets an attempt that was believed lost come to its end before the next one begins', async () => {
    const id = await lab.running('b', { mode: 'auto', retries: 1, intervalSeconds: 60 });
    lab.agent.trouble = unreachable;
    await lab.pass(620_000);
    lab.agent.trouble = undefined;
    lab.agent.troubles.set('start', new Conflict('busy', 'Cannot start it as another job runs'));
    await lab.pass(90_000);
    expect(await lab.show()).toMatchObject({
      state: 'Waiting',
      attempt: 1,
      waitingFor: ['Agent db1 is busy with something else.'],
    });
    await lab.seal(id);
    lab.agent.becomes(id, 'Succeeded');
    await lab.pass(15_000);
    expect(await lab.show()).toMatchObject({ state: 'Succeeded' });
  });

  it('is cancelled for good although neither agent nor store answers', async () => {
    const id = await lab.running('b', { mode: 'auto', retries: 5, intervalSeconds: 1 });
    lab.agent.trouble = unreachable;
    lab.isStoreDown = true;
    await lab.control.cancel('Backup', 'b');
    await lab.pass(700_000);
    expect((await lab.show()).state).toBe('Cancelled');
    lab.agent.trouble = undefined;
    lab.isStoreDown = false;
    await lab.pass(700_000);
    expect((await lab.show()).state).toBe('Cancelled');
    expect(await readSettlement(lab.repository, id, signal)).toBeUndefined();
  });

  it('that was cancelled after it was sealed has succeeded', async () => {
    const id = await lab.running();
    await lab.seal(id);
    await lab.control.cancel('Backup', 'b');
    await lab.pass(1_000);
    expect((await lab.show()).state).toBe('Succeeded');
  });

  it('of a service that was removed fails and says so', async () => {
    const service = await lab.catalog.get('Service', 'shop');
    lab.agent.troubles.set('start', new Conflict('busy', 'Cannot start it'));
    await lab.backup();
    await lab.pass(1_000);
    if (service !== undefined) await lab.catalog.remove((await lab.catalog.get('Service', 'shop')) ?? service);
    await lab.pass(30_000);
    expect(await lab.show()).toMatchObject({ state: 'Failed', attempt: 0, failure: { code: 'no-such-service' } });
  });
});
