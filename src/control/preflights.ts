import type { Preflight } from '../api/agent.ts';
import type { ControlContext } from './context.ts';
import type { BackupPreflight } from './wish-types.ts';
import { find } from './find.ts';
import { type Finding, gathered, preflightOf } from './findings.ts';
import type { FolderUse } from './folder-use.ts';
import { managedLocation } from './location-text.ts';
import { managerFindings } from './location-test.ts';
import type { RepositoryPlace } from './repositories.ts';

const LIMIT_MS = 60_000;

interface Abortable {
  readonly signal: AbortSignal;
}

/** What would keep a backup from succeeding, asked of the agent beside the server; and whether the manager can read there. */
export async function preflightBackup(
  context: ControlContext & { readonly folders: FolderUse },
  { service: name, ...place }: RepositoryPlace & { readonly service: string },
  { signal: given }: Abortable,
): Promise<BackupPreflight> {
  const { catalog, secrets, launcher, folders } = context;
  const service = await find(catalog, 'Service', name);
  const location = await find(catalog, 'StorageLocation', place.location);
  const signal = AbortSignal.any([given, AbortSignal.timeout(LIMIT_MS)]);
  const agents = gathered(given, async () => {
    const body = {
      kind: 'backup' as const,
      attempt: 1,
      name: 'preflight',
      service: name,
      location: managedLocation(location, await secrets.get('StorageLocation', location.name)),
      ...(place.folder === undefined ? {} : { folder: place.folder }),
    };
    return (await launcher.agent(service.spec.agent).preflight({ body, signal })).findings;
  });
  const findings = [...(await agents), ...(await managerFindings(context, place, { signal }))];
  const sharedWith = folders.servicesIn(place).filter((each) => each !== name);
  return { ...preflightOf(findings), sharedWith };
}

/** Can its server be backed up, as far as that does not depend on where to? */
export async function testService(
  { catalog, launcher }: ControlContext,
  name: string,
  { signal: given }: Abortable,
): Promise<Preflight> {
  const { spec } = await find(catalog, 'Service', name);
  const signal = AbortSignal.any([given, AbortSignal.timeout(LIMIT_MS)]);
  const findings = await gathered(given, async () => {
    const { agent, database, engines } = await launcher.agent(spec.agent).server({ signal });
    const answers = ok('agent-answers', `Agent ${spec.agent} answers; it is of version ${agent.version}.`);
    if (database === undefined) return [answers, noDatabase(spec.agent)];
    if (!database.isUp) return [answers, { level: 'error' as const, ...database.failure }].map(plain);
    const up = ok('server-answers', `${database.vendor} ${database.version} answers.`);
    const engine = engines.find(({ isChosen }) => isChosen);
    const tool = engine && ok('engine-fits', `${engine.name} ${engine.version} can back it up.`);
    return [answers, up, tool ?? noEngine(database.vendor)];
  });
  return preflightOf(findings);
}

function ok(code: string, message: string): Finding {
  return { level: 'ok', code, message };
}

function plain({ level, code, message, nextStep }: Finding): Finding {
  return { level, code, message, ...(nextStep === undefined ? {} : { nextStep }) };
}

function noDatabase(agent: string): Finding {
  const message = `Agent ${agent} is a host without a database server.`;
  return { level: 'error', code: 'no-database', message, nextStep: "Name the server in the agent's file." };
}

function noEngine(vendor: string): Finding {
  const tool = vendor === 'MariaDB' ? 'mariadb-backup' : 'xtrabackup';
  const nextStep = `Install ${tool} of the server's release on its host.`;
  return { level: 'error', code: 'engine-missing', message: 'No backup tool on its host fits the server.', nextStep };
}
