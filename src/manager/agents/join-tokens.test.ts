import { hash } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseJoinToken } from '../../api/enrol.ts';
import type { SecretRecord, SecretStore } from '../../control/secrets.ts';
import { isoTime } from '../../lib/clock.ts';
import { FakeClock } from '../../../tests/support/fake-clock.ts';
import { JoinTokens } from './join-tokens.ts';

const url = 'https://manager.example.net';
const hour = 3_600;

test('a token costs one record, is kept over a restart, good once, and forgotten when it has expired', async () => {
  const clock = new FakeClock();
  const store = new MemorySecrets();
  const tokens = new JoinTokens(store, clock);
  for (let made = 0; made < 20; made += 1) await tokens.create({ validSeconds: hour, url });
  const { secret } = parseJoinToken((await tokens.create({ validSeconds: 2 * hour, replaces: 'db1', url })).token);
  expect(store.writes).toBe(21);
  const again = new JoinTokens(store, clock);
  const none = async (): Promise<void> => undefined;
  expect(await again.redeem(secret, 'a', none)).toEqual({ isRepeated: false, replaces: 'db1' });
  expect(await again.redeem(secret, 'a', none)).toEqual({ isRepeated: true, replaces: 'db1' });
  await expect(again.redeem(secret, 'b', none)).rejects.toMatchObject({ code: 'join-token-refused' });
  await clock.pass(hour * 1_000);
  expect(await again.redeem(secret, 'a', none)).toMatchObject({ isRepeated: true });
  expect(await store.names('JoinToken')).toEqual([secret.split('.')[0]]);
  await clock.pass(hour * 1_000);
  await expect(again.redeem(secret, 'a', none)).rejects.toMatchObject({ code: 'join-token-refused' });
  expect(await store.names('JoinToken')).toEqual([]);
});

test('a thousand may wait to be used; those that were used do not count', async () => {
  const tokens = new JoinTokens(new MemorySecrets(), new FakeClock());
  const create = async () => tokens.create({ validSeconds: hour, url });
  const { secret } = parseJoinToken((await create()).token);
  for (let made = 1; made < 1_000; made += 1) await create();
  await expect(create()).rejects.toMatchObject({ code: 'too-many-join-tokens' });
  await tokens.redeem(secret, 'a', async () => undefined);
  await create();
});

test('those of version 0.1.0, which kept all in one record, are still good', async () => {
  const clock = new FakeClock();
  const store = new MemorySecrets();
  const secret = `0a1b2c3d4e5f.${'s'.repeat(43)}`;
  const record = { digest: hash('sha256', secret), expiresAt: isoTime(clock.now() + 1_000), replaces: 'db1' };
  await store.set('Manager', 'join-tokens', { '0a1b2c3d4e5f': JSON.stringify(record) });
  const redeemed = new JoinTokens(store, clock).redeem(secret, 'a', async () => undefined);
  expect(await redeemed).toEqual({ isRepeated: false, replaces: 'db1' });
  expect(await store.names('Manager')).toEqual([]);
});

class MemorySecrets implements SecretStore {
  readonly #records = new Map<string, SecretRecord>();
  writes = 0;

  async get(kind: string, name: string): Promise<SecretRecord> {
    return this.#records.get(`${kind}/${name}`) ?? {};
  }

  async set(kind: string, name: string, record: SecretRecord): Promise<void> {
    this.writes += 1;
    this.#records.set(`${kind}/${name}`, record);
  }

  async names(kind: string): Promise<readonly string[]> {
    return [...this.#records.keys()].filter((key) => key.startsWith(`${kind}/`)).map((key) => key.split('/')[1] ?? '');
  }

  async remove(kind: string, name: string): Promise<void> {
    this.#records.delete(`${kind}/${name}`);
  }
}
