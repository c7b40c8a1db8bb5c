import type { EnrolAnswer, EnrolRequest } from '../../api/enrol.ts';
import type { SpecOf } from '../../api/resources.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { Conflict, PermanentFailure } from '../../lib/failure.ts';
import { versionsFit } from '../../lib/program-version.ts';
import { changeAgent } from './change-agent.ts';
import type { AgentCredentials } from './credentials.ts';
import { type JoinTokens, refuseOtherName } from './join-tokens.ts';

export interface EnrolmentOptions {
  readonly catalog: Catalog;
  readonly tokens: JoinTokens;
  readonly credentials: AgentCredentials;
  /** Of this program. */
  readonly version: string;
}

/**
 * Lets an agent join. Beside a database server it brings a service of its own name with it, if that name is free.
 *
 * The token is used up first: whoever repeats the same request after a crash or a lost answer gets the same again.
 * @throws PermanentFailure `join-token-refused`, `agent-version-unfit`; Conflict `agent-name-taken`; InvalidRequest
 * `join-token-for-another`
 */
export async function enrol(request: EnrolRequest, options: EnrolmentOptions): Promise<EnrolAnswer> {
  const { catalog, tokens, credentials, version } = options;
  const { name, connection } = request;
  if (!versionsFit(request.version, version)) throw unfitVersion(name, { agent: request.version, manager: version });
  const { token: _, ...body } = request;
  await tokens.redeem(request.token, JSON.stringify(body), async ({ isRepeated, replaces }) => {
    refuseOtherName(name, replaces);
    const isTaken = (await catalog.get('Agent', name)) !== undefined;
    if (isTaken && replaces === undefined && !isRepeated) throw nameTaken(name);
  });
  const credential = await credentials.issue(name, connection.agentToken);
  await putAgent(catalog, request);
  if (request.hasDatabase) await addService(catalog, name);
  return { name, credential, version };
}

async function putAgent(catalog: Catalog, request: EnrolRequest): Promise<void> {
  const { name, version, hostname } = request;
  const connection = connectionOf(request);
  const fresh = { state: 'Unknown', version, hostname } as const;
  const changed = await changeAgent(catalog, name, ({ spec, status }) => {
    const { failure: _, ...rest } = status;
    return { spec: { ...spec, connection }, status: { ...rest, ...fresh } };
  });
  if (changed !== undefined) return;
  const none = { engines: [], restoreDirectories: [], mayRestoreInPlace: false, locations: [], managedLocations: [] };
  await catalog.create('Agent', name, { spec: { connection, description: '' }, status: { ...fresh, ...none } });
}

function connectionOf({ connection }: EnrolRequest): SpecOf<'Agent'>['connection'] {
  if (connection.type === 'dials') return { type: 'dials' };
  const { type, url, fingerprint } = connection;
  return { type, url, fingerprint };
}

/** Where a person has one of that name already, it stays as it is. */
async function addService(catalog: Catalog, name: string): Promise<void> {
  try {
    await catalog.create('Service', name, { spec: { agent: name, description: '' }, status: { state: 'Unknown' } });
  } catch (error) {
    if (!(error instanceof Conflict) || error.code !== 'name-taken') throw error;
  }
}

/** Agent and manager are too far apart to understand each other. */
export function unfitVersion(
  name: string,
  { agent, manager }: { readonly agent: string; readonly manager: string },
): PermanentFailure {
  return new PermanentFailure(
    'agent-version-unfit',
    `Cannot work with agent ${name} as its version is too far from the manager's: ${agent}, the manager is ${manager}`,
    { nextStep: 'Install a version of Holdfast on its host that is at most one minor version from the manager’s.' },
  );
}

function nameTaken(name: string): Conflict {
  return new Conflict('agent-name-taken', `Cannot let the agent join as there is one of its name already: ${name}`, {
    nextStep: 'Join with another --name. To replace that agent, make a join token for it in the manager.',
  });
}
