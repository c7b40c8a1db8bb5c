import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { EnrolClient } from '../api/enrol-client.ts';
import { type EnrolledConnection, parseJoinToken } from '../api/enrol.ts';
import type { Clock } from '../lib/clock.ts';
import { InvalidRequest } from '../lib/failure.ts';
import type { AgentConfig } from './config.ts';
import { type Identity, readIdentity } from './identity.ts';
import { type JoinedManager, writeJoinedManager } from './manager-file.ts';
import { prepareStateDirectory, refuseAnothers } from './state-directory.ts';

export interface JoinWish {
  /** As the manager showed it. */
  readonly token: string;
  /** In the manager; the host's name without it. */
  readonly name?: string | undefined;
  /** Where the manager reaches this agent. Without it the agent dials out. */
  readonly listenUrl?: string | undefined;
}

export interface JoinOptions {
  readonly config: AgentConfig;
  /** Of this program. */
  readonly version: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Joins a manager. An agent that runs already with this state directory is in touch with it some seconds later.
 * @throws InvalidRequest `join-token-invalid`, `listen-url-invalid`; what the manager answers; what `readIdentity` throws
 */
export async function joinManager(wish: JoinWish, options: JoinOptions): Promise<JoinedManager> {
  const { config, version, clock, signal } = options;
  const { url, fingerprint, secret } = parseJoinToken(wish.token);
  await prepareStateDirectory(config.stateDirectory);
  await refuseAnothers(config.stateDirectory);
  const connection = connectionOf(wish, await readIdentity(config, clock));
  using client = new EnrolClient({ url, fingerprint });
  const request = {
    token: secret,
    name: wish.name ?? nameOfHost(),
    hostname: hostname(),
    version,
    connection,
    hasDatabase: config.database !== null,
    nonce: randomBytes(24).toString('base64url'),
  };
  const { name, credential } = await enrolTwice(client, request, signal);
  const pin = fingerprint === undefined ? {} : { fingerprint };
  const joined = { url, ...pin, name, credential, connection: connection.type };
  await writeJoinedManager(config.stateDirectory, joined);
  return joined;
}

/** An answer that was lost must not cost the token: the same request again is answered again. */
async function enrolTwice(client: EnrolClient, request: Parameters<EnrolClient['enrol']>[0], signal: AbortSignal) {
  try {
    return await client.enrol(request, { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Error && 'code' in error && error.code === 'manager-unreachable')) throw error;
    return client.enrol(request, { signal });
  }
}

function connectionOf({ listenUrl }: JoinWish, { token: agentToken, fingerprint }: Identity): EnrolledConnection {
  if (listenUrl === undefined) return { type: 'dials', agentToken };
  const url = URL.parse(listenUrl);
  if (url?.protocol === 'https:' && url.username === '' && url.pathname === '/')
    return { type: 'listens', url: url.origin, fingerprint, agentToken };
  throw new InvalidRequest(
    'listen-url-invalid',
    'Cannot tell the manager this address as it is not a plain https URL',
    {
      nextStep:
        'Write for example --listen-url https://db1.example.net:7443, the address at which the manager reaches this agent.',
    },
  );
}

function nameOfHost(): string {
  const name = hostname()
    .replaceAll(/[^A-Za-z0-9._:-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '');
  return name === '' ? 'agent' : name.slice(0, 100);
}
