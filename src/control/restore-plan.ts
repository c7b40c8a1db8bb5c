import type { Resource } from '../api/resources.ts';
import type { ControlContext } from './context.ts';
import type { RestorePlan, RestoreWish } from './wish-types.ts';
import { find } from './find.ts';
import { type Finding, gathered, preflightOf } from './findings.ts';
import { judgeServer } from './judge-agent.ts';
import { managedLocation } from './location-text.ts';
import { restorable } from './restore-ops.ts';

const LIMIT_MS = 60_000;

interface Step {
  readonly name: string;
  readonly text: string;
  readonly isDowntime: boolean;
}

/** What a restore would do, and what stands in its way; changes nothing. */
export async function planRestore(
  context: ControlContext,
  wish: RestoreWish,
  { signal }: { readonly signal: AbortSignal },
): Promise<RestorePlan> {
  const { catalog } = context;
  const backup = await restorable(context, wish.backup);
  await find(catalog, 'Agent', wish.agent);
  const service = 'service' in wish.target ? await find(catalog, 'Service', wish.target.service) : undefined;
  const findings: Finding[] = service === undefined ? [] : [judgeServer(backup, service.status)];
  findings.push(...(await agentFindings(context, { wish, backup }, signal)));
  const times = await earlierTimes(context, backup);
  const targetVersion = service?.status.version;
  return {
    ...preflightOf(distinct(findings)),
    steps: stepsOf(wish, service?.name, findings).map((step) => ({ ...step, ...expected(times.get(step.name)) })),
    ...sourceOf(backup),
    ...(targetVersion === undefined ? {} : { targetVersion }),
  };
}

function sourceOf({ status }: Resource<'Backup'>) {
  const { result } = status;
  if (result === undefined) return { logicalBytes: 0, serverVersion: '' };
  const { logicalBytes, source, gtid, binlog } = result;
  return {
    logicalBytes,
    serverVersion: source.serverVersion,
    ...(gtid === '' ? {} : { gtid }),
    ...(binlog === undefined ? {} : { binlog }),
  };
}

async function agentFindings(
  { catalog, secrets, launcher }: ControlContext,
  { wish, backup }: { readonly wish: RestoreWish; readonly backup: Resource<'Backup'> },
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  return gathered(signal, async () => {
    const location = await find(catalog, 'StorageLocation', backup.spec.location);
    const { folder } = backup.spec;
    const target = 'directory' in wish.target ? { directory: wish.target.directory } : { inPlace: true as const };
    const body = {
      kind: 'restore' as const,
      attempt: 1,
      backup: backup.status.id,
      location: managedLocation(location, await secrets.get('StorageLocation', location.name)),
      target,
      identity: wish.identity,
      replication: wish.replication,
      ...(wish.acceptsMissingTables === true ? { acceptsMissingTables: true } : {}),
      ...(folder === undefined ? {} : { folder }),
    };
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
    return (await launcher.agent(wish.agent).preflight({ body, signal: limited })).findings;
  });
}

/** The manager and the agent judge versions by the same rules. */
function distinct(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [`${finding.code} ${finding.message}`, finding])).values()];
}

/** Of a server with data outside its data directory. */
const spread: Step = {
  name: 'spread',
  text: 'Files that belong into other directories are brought there.',
  isDowntime: false,
};

/** Their names are those of the progress. */
function stepsOf({ target }: RestoreWish, service: string | undefined, findings: readonly Finding[]): readonly Step[] {
  const where = 'directory' in target ? target.directory : `the data directory of ${service}`;
  const first: readonly Step[] = [
    {
      name: 'download',
      text: `The files are read from the storage location, verified, and written beside ${where}.`,
      isDowntime: false,
    },
    { name: 'prepare', text: 'The redo log is applied, so that the files are of one moment.', isDowntime: false },
    { name: 'sync', text: 'Everything is made to be on the disk.', isDowntime: false },
  ];
  if (service === undefined)
    return [...first, { name: 'place', text: `The prepared files are moved to ${where}.`, isDowntime: false }];
  const has = (wanted: string): boolean => findings.some(({ code }) => code === wanted);
  const prepared = [...first, ...(has('outside-exchanged') ? [spread] : [])];
  const place = {
    name: 'place',
    text: 'The prepared files take the place of those that are there, which are kept beside them.',
    isDowntime: true,
  };
  // A person has stopped it, and starts it.
  if (has('server-not-started')) return [...prepared, place];
  return [
    ...prepared,
    { name: 'stop', text: `The server of ${service} is stopped.`, isDowntime: true },
    place,
    { name: 'start', text: `The server of ${service} is started on them, and must answer.`, isDowntime: true },
  ];
}

function expected(ms: number | undefined): { readonly expectedMs?: number } {
  return ms === undefined ? {} : { expectedMs: Math.round(ms) };
}

/** How long each step took in the newest restore or drill of the same service, scaled to the size of this backup. */
async function earlierTimes(
  { catalog }: ControlContext,
  backup: Resource<'Backup'>,
): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, { readonly ms: number; readonly at: string }>();
  const sizes = new Map<string, number | undefined>();
  const wanted = backup.status.result?.logicalBytes ?? 0;
  const learn = async (run: Resource<'Restore'> | Resource<'Drill'>): Promise<void> => {
    const { result, endedAt: at = run.createdAt } = run.status;
    if (result === undefined) return;
    const name = run.spec.backup;
    if (!sizes.has(name)) sizes.set(name, await sizeOf(name));
    const size = sizes.get(name);
    if (size === undefined) return;
    for (const { name: raw, ms } of result.steps) {
      const step = plannedStep(run.kind, raw);
      if (step !== undefined && (times.get(step)?.at ?? '') <= at) times.set(step, { ms: (ms * wanted) / size, at });
    }
  };
  const sizeOf = async (name: string): Promise<number | undefined> => {
    const found = await catalog.get('Backup', name);
    const isSame = found?.spec.service === backup.spec.service;
    return isSame ? found.status.result?.logicalBytes || undefined : undefined;
  };
  for await (const restore of catalog.list('Restore')) await learn(restore);
  for await (const drill of catalog.list('Drill')) await learn(drill);
  return new Map([...times].map(([step, { ms }]) => [step, ms]));
}

/** The step of a plan that a step of an earlier run tells of. */
function plannedStep(kind: 'Restore' | 'Drill', name: string): string | undefined {
  // A drill starts a server of its own, which tells nothing of the one that is stopped.
  if (kind === 'Drill' && name === 'start') return undefined;
  // What agents of the release before told of stopping, placing and starting in one.
  return name === 'replace' ? 'place' : name;
}
