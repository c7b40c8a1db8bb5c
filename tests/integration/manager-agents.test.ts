import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { EnrolClient } from '../../src/api/enrol-client.ts';
import { parseJoinToken } from '../../src/api/enrol.ts';
import { startTestManager } from '../support/manager.ts';

const signal = new AbortController().signal;

test('agents are sorted by when they were heard last, of which the catalog is told only now and then', async () => {
  await using open = await startTestManager();
  const beats = new Map<string, () => Promise<unknown>>();
  await using clients = new AsyncDisposableStack();
  for (const name of ['one', 'two', 'three']) {
    const { token } = await open.admin.call('createJoinToken', { body: {}, signal });
    const { url, fingerprint, secret } = parseJoinToken(token);
    const version = '0.0.0-test';
    const connection = { type: 'dials' as const, agentToken: 'a-token-of-16-characters' };
    using joining = new EnrolClient({ url, fingerprint });
    const wish = {
      token: secret,
      name,
      hostname: name,
      version,
      connection,
      hasDatabase: false,
      nonce: 'n'.repeat(16),
    };
    const { credential } = await joining.enrol(wish, { signal });
    const client = clients.use(new EnrolClient({ url, fingerprint, credential }));
    beats.set(name, async () => client.heartbeat({ version, hostname: name }, { signal }));
  }
  const pageOf = async (sort: 'lastSeenAt' | '-lastSeenAt', page: number): Promise<string[]> => {
    const { items, total } = await open.admin.call('listAgents', { query: { sort, page, pageSize: 2 }, signal });
    expect(total).toBe(3);
    return items.map(({ name }) => name);
  };
  for (const order of [
    ['one', 'two', 'three'],
    ['three', 'one', 'two'],
  ]) {
    for (const name of order) {
      await beats.get(name)?.();
      await sleep(5);
    }
    const sorted = [...(await pageOf('lastSeenAt', 1)), ...(await pageOf('lastSeenAt', 2))];
    expect(sorted).toEqual(order);
    expect(await pageOf('-lastSeenAt', 1)).toEqual(order.toReversed().slice(0, 2));
  }
});
