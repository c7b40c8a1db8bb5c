import { agentRoutes, type Preflight, type PreflightRequest } from '../api/agent.ts';
import {
  backupJobSchema,
  backupRequestSchema,
  drillJobSchema,
  restoreJobSchema,
  restoreRequestSchema,
} from '../api/jobs.ts';
import type { Finding } from '../engine/engine.ts';
import { Failure } from '../lib/failure.ts';
import { type AgentContext, databaseConnection } from './context.ts';
import type { Abortable } from './host.ts';
import type { Jobs } from './jobs.ts';
import { lookAtLocation, type Place } from './open-location.ts';
import { preflightBackup } from './run-backup.ts';
import { preflightRestoreJob } from './run-restore.ts';
import type { Mount } from './server.ts';
import { type AboutAgent, readServerInfo } from './server-info.ts';

export interface RoutesOptions extends AboutAgent {
  readonly jobs: Jobs;
  /** A check found something that would keep a backup or restore from succeeding. */
  readonly onNoGo: () => void;
}

/** What the routes of the API do. */
export function mountRoutes(mount: Mount, options: RoutesOptions): void {
  const { jobs, context } = options;
  mount(agentRoutes.startBackup, async ({ params: { id }, body }) =>
    backupJobSchema.parse(await jobs.start('backup', id, body)),
  );
  mount(agentRoutes.getBackup, async ({ params: { id } }) => backupJobSchema.parse(jobs.get('backup', id)));
  mount(agentRoutes.cancelBackup, async ({ params: { id } }) => backupJobSchema.parse(await jobs.cancel('backup', id)));
  mount(agentRoutes.startRestore, async ({ params: { id }, body }) =>
    restoreJobSchema.parse(await jobs.start('restore', id, body)),
  );
  mount(agentRoutes.getRestore, async ({ params: { id } }) => restoreJobSchema.parse(jobs.get('restore', id)));
  mount(agentRoutes.cancelRestore, async ({ params: { id } }) =>
    restoreJobSchema.parse(await jobs.cancel('restore', id)),
  );
  mount(agentRoutes.startDrill, async ({ params: { id }, body }) =>
    drillJobSchema.parse(await jobs.start('drill', id, body)),
  );
  mount(agentRoutes.getDrill, async ({ params: { id } }) => drillJobSchema.parse(jobs.get('drill', id)));
  mount(agentRoutes.cancelDrill, async ({ params: { id } }) => drillJobSchema.parse(await jobs.cancel('drill', id)));
  mount(agentRoutes.listJobs, async () => ({ jobs: jobs.list() }));
  mount(agentRoutes.getAgent, async () => options.agent);
  mount(agentRoutes.getServer, async ({ signal }) => readServerInfo(options, { signal }));
  mount(agentRoutes.preflight, async ({ body, signal }) => {
    const found = await preflight(context, body, { signal });
    if (!found.isGo) options.onNoGo();
    return found;
  });
}

async function preflight(context: AgentContext, body: PreflightRequest, options: Abortable): Promise<Preflight> {
  const { kind, ...request } = body;
  const checks =
    kind === 'backup'
      ? [
          async () => checkServer(context, options),
          async () => checkRepository(context, backupRequestSchema.parse(request), options),
        ]
      : [async () => preflightRestoreJob(context, restoreRequestSchema.parse(request), options)];
  const findings: Finding[] = [];
  for (const check of checks) findings.push(...(await asFindings(check, options)));
  return { isGo: findings.every(({ level }) => level !== 'error'), findings };
}

async function checkServer(context: AgentContext, options: Abortable): Promise<readonly Finding[]> {
  const server = await databaseConnection(context);
  const facts = await context.host.readServerFacts(server, options);
  const found = {
    level: 'ok',
    code: 'database',
    message: `The database server answers: ${facts.vendor} ${facts.version}.`,
  } as const;
  return [found, ...(await preflightBackup(context, { server, facts }, options))];
}

async function checkRepository(context: AgentContext, place: Place, options: Abortable): Promise<readonly Finding[]> {
  const { description, isEncrypted, isThere } = await lookAtLocation(context, place, options);
  const how = isEncrypted ? 'encrypted' : 'not encrypted';
  const message = isThere
    ? `The repository can be used, it is ${how}: ${description}.`
    : `There is no repository yet; the first backup makes one, ${how}: ${description}.`;
  return [{ level: 'ok', code: 'repository', message }];
}

/** What stops a check is what it found. */
async function asFindings(check: () => Promise<readonly Finding[]>, options: Abortable): Promise<readonly Finding[]> {
  try {
    return await check();
  } catch (error) {
    options.signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    const { code, message, nextStep } = error;
    return [{ level: 'error', code, message, ...(nextStep === undefined ? {} : { nextStep }) }];
  }
}
