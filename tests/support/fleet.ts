import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { completeConfig } from '../../src/agent/config.ts';
import { joinManager, type JoinWish } from '../../src/agent/join.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { openSqliteSecrets } from '../../src/catalog/sqlite-secrets.ts';
import { openSqliteCatalog } from '../../src/catalog/sqlite.ts';
import type { Resource } from '../../src/api/resources.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { Agents } from '../../src/manager/agents/agents.ts';
import { newFastify } from '../../src/server/http-listener.ts';
import { answerFor } from '../../src/server/error-answer.ts';
import { type Certificate, selfSigned } from '../../src/server/self-signed.ts';
import { type AgentHome, until } from './agents.ts';

/** The part of a manager that agents see, over TLS, with a catalog on disk. */
export interface Fleet extends AsyncDisposable {
  readonly url: string;
  readonly fingerprint: string;
  readonly certificate: Certificate;
  readonly catalog: Catalog;
  readonly agents: Agents;
  readonly troubles: string[];
  /** Lets the agent of this home join. */
  join(
    home: AgentHome,
    wish?: Omit<JoinWish, 'token'> & { readonly replaces?: string; readonly token?: string },
  ): Promise<string>;
  /** As the manager does when a person removes it. */
  remove(agent: Resource<'Agent'>): Promise<void>;
  /** The agent once it is in this state. */
  reaches(name: string, state: Resource<'Agent'>['status']['state']): Promise<Resource<'Agent'>>;
}

export interface FleetOptions {
  readonly version?: string;
  /** Kept afterwards, for a manager that begins again. */
  readonly directory?: string;
  /** One that was there before: the same address and certificate. */
  readonly like?: Pick<Fleet, 'url' | 'certificate'>;
}

export const testVersion = '0.0.0-test';

export async function startFleet({ version = testVersion, directory: given, like }: FleetOptions = {}): Promise<Fleet> {
  await using stack = new AsyncDisposableStack();
  const directory = given ?? (await mkdtemp(join(tmpdir(), 'hf-fleet-')));
  if (given === undefined) stack.defer(async () => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'catalog.db');
  const catalog = stack.use(await openSqliteCatalog({ file, clock: systemClock }));
  const secrets = stack.use(await openSqliteSecrets({ file, clock: systemClock }));
  const troubles: string[] = [];
  const onTrouble = (message: string, error: unknown): void => void troubles.push(`${message}: ${String(error)}`);
  const agents = stack.use(
    await Agents.open({
      catalog,
      secrets,
      clock: systemClock,
      version,
      onTrouble,
      lookEveryMs: 100,
      timeoutMs: 20_000,
    }),
  );
  const tls =
    like?.certificate ?? (await selfSigned(['127.0.0.1'], { commonName: 'Holdfast manager', clock: systemClock }));
  const server = newFastify({ tls, trustedProxies: [], logLevel: 'silent' });
  server.setErrorHandler((error, _, reply) => {
    const { status, body } = answerFor(error);
    return reply.status(status).send(body);
  });
  agents.mount(server);
  stack.defer(async () => server.close());
  // The server that is handed in speaks TLS, which fastify cannot know.
  const url = (
    await server.listen({ host: '127.0.0.1', port: Number(new URL(like?.url ?? 'https://0:0').port) })
  ).replace('http:', 'https:');
  const { fingerprint256: fingerprint } = new X509Certificate(tls.certificate);
  const owned = stack.move();
  return {
    url,
    fingerprint,
    certificate: tls,
    catalog,
    agents,
    troubles,
    join: async (home, { replaces, token, ...wish } = {}) => {
      const made = token ?? (await agents.joinTokens.create({ validSeconds: 60, replaces, url, fingerprint })).token;
      const config = completeConfig(home.config, 'test');
      const options = { config, version, clock: systemClock, signal: AbortSignal.timeout(20_000) };
      return (await joinManager({ ...wish, token: made }, options)).name;
    },
    remove: async (agent) => {
      await catalog.remove(agent);
      await secrets.remove('Agent', agent.name);
    },
    reaches: async (name, state) => {
      let agent: Resource<'Agent'> | undefined;
      await until(async () => {
        agent = await catalog.get('Agent', name);
        return agent?.status.state === state;
      });
      if (agent === undefined) throw new Error('there is no such agent');
      return agent;
    },
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}
