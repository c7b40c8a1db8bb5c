import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Job } from '../api/jobs.ts';
import { Lineages } from '../core/lineage.ts';
import { type Clock, isoTime, systemClock } from '../lib/clock.ts';
import { Failure, PermanentFailure } from '../lib/failure.ts';
import type { Runner } from './active-job.ts';
import { Authenticator } from './authenticate.ts';
import type { AgentConfig } from './config.ts';
import { type AgentContext, databaseConnection } from './context.ts';
import type { Host } from './host.ts';
import { readIdentity } from './identity.ts';
import { JobStore } from './job-store.ts';
import { Jobs } from './jobs.ts';
import { clearLeftovers, type LeftoverOptions } from './leftovers.ts';
import { LastSeen } from './last-seen.ts';
import { ManagerLink } from './manager-link.ts';
import { Metrics } from './metrics.ts';
import { Reporter } from './report.ts';
import { mountRoutes } from './routes.ts';
import { runBackup } from './run-backup.ts';
import { runDrill } from './run-drill.ts';
import { runRestore } from './run-restore.ts';
import { createServer } from './server.ts';
import { readServerInfo } from './server-info.ts';
import { prepareStateDirectory } from './state-directory.ts';
import { StateLock } from './state-lock.ts';
import { systemHost } from './system-host.ts';

export interface AgentOptions {
  /** Of this program. */
  readonly version: string;
  /** Of the log on stderr, one JSON object per line. Default `info`. */
  readonly logLevel?: string;
  readonly clock?: Clock;
  /** Replaces parts of the host, for tests. */
  readonly host?: Partial<Host>;
  /** Of backups, for tests: small segments make many of a small database. */
  readonly tuning?: AgentContext['tuning'];
  /** For the head of a request, and then for all of it. */
  readonly requestLimitMs?: number;
  /** From one heartbeat to the manager to the next. Default 30,000. */
  readonly heartbeatMs?: number;
  /** For jobs to end when the agent is disposed of. Default 10,000. */
  readonly endLimitMs?: number;
}

/**
 * A running agent. Disposing of it ends what is under way and takes at most 10 seconds. What must come to its end, such as the
 * start of a server, goes on after that, and keeps the state directory from other agents.
 */
export interface Agent extends AsyncDisposable {
  /** `https://address:port` */
  readonly url: string;
  /** SHA-256 of its certificate. */
  readonly fingerprint: string;
  readonly tokenFile: string;
}

const databaseUpLimitMs = 2_000;
/** For looking at tools, server and the size of its files. */
const reportLimitMs = 60_000;

/**
 * Starts an agent: the composition root, the only place that knows which adapters are used.
 * @throws Conflict `agent-already-runs`; PermanentFailure `agent-not-listening`; what `readIdentity` throws
 */
export async function startAgent(config: AgentConfig, options: AgentOptions): Promise<Agent> {
  const clock = options.clock ?? systemClock;
  await using stack = new AsyncDisposableStack();
  await prepareStateDirectory(config.stateDirectory);
  const lock = stack.use(await StateLock.take(config.stateDirectory));
  const identity = await readIdentity(config, clock);
  const context = contextOf(config, { ...options, clock, say: (message) => server.log.warn(message) });
  const agent = { version: options.version, startedAt: isoTime(clock.now()) };
  let link: ManagerLink | undefined;
  const metrics: Metrics = new Metrics({
    version: options.version,
    jobs: () => jobs.list(),
    isDatabaseUp: async () => isDatabaseUp(context),
  });
  const { jobs, interrupted, damaged } = await Jobs.open({
    store: await JobStore.open(join(config.stateDirectory, 'jobs')),
    clock,
    run: measured(runnerOf(context), { metrics, clock }),
    hasServer: config.database !== null,
    endLimitMs: options.endLimitMs,
    onTrouble: (message, error) => server.log.error({ err: error }, message),
    onEnded: (job) => {
      metrics.onEnded(job);
      link?.look();
    },
  });
  lock.keepFor(jobs);
  const ending = new AbortController();
  const server = createServer(
    {
      identity,
      jobs,
      metrics,
      authenticator: new Authenticator(identity.token, clock),
      signal: ending.signal,
      logLevel: options.logLevel ?? 'info',
      ...(options.requestLimitMs === undefined ? {} : { requestLimitMs: options.requestLimitMs }),
    },
    (mount) => mountRoutes(mount, { context, jobs, agent, onNoGo: () => link?.look() }),
  );
  stack.defer(async () => server.close());
  stack.use(jobs);
  const say = (message: string): void => server.log.warn(message);
  for (const { path, why } of damaged) say(`A record of a job cannot be read and is now ${path}: ${why}`);
  const recovered = recover(context, { jobs, interrupted }, { say, signal: ending.signal });
  stack.defer(async () => recovered);
  stack.defer(() => ending.abort(new Failure('agent-stopped', 'Cannot go on as the agent ends')));
  const url = await listen(server, config.listen);
  link = stack.use(linkToManager(context, { server, agent, ...options }));
  const { tokenFile } = config;
  server.log.info({ url, fingerprint: identity.fingerprint, tokenFile }, 'The agent is ready');
  const owned = stack.move();
  return { url, fingerprint: identity.fingerprint, tokenFile, [Symbol.asyncDispose]: async () => owned.disposeAsync() };
}

async function recover(
  context: AgentContext,
  { jobs, interrupted }: { readonly jobs: Jobs; readonly interrupted: readonly Job[] },
  options: LeftoverOptions,
): Promise<void> {
  const earlier = { interrupted, ended: jobs.list().filter((job) => !interrupted.includes(job)) };
  try {
    await jobs.recover(async () => clearLeftovers(context, earlier, options));
  } catch (error) {
    options.say(`Leftovers stay until the next start: ${String(error)}`);
  }
}

interface ContextOptions extends Pick<AgentOptions, 'version' | 'host' | 'tuning'> {
  readonly clock: Clock;
  readonly say: (message: string) => void;
}

function contextOf(config: AgentConfig, { clock, say, ...options }: ContextOptions): AgentContext {
  const lastSeen = new LastSeen({ config, clock, say });
  const host: Host = { ...systemHost(config), ...options.host };
  return {
    config,
    clock,
    host: { ...host, readServerFacts: lastSeen.remembering(host) },
    lastSeen,
    lineages: new Lineages(config.stateDirectory),
    program: `holdfast ${options.version}`,
    ...(options.tuning === undefined ? {} : { tuning: options.tuning }),
  };
}

interface LinkOptions extends Pick<AgentOptions, 'heartbeatMs'> {
  readonly server: ReturnType<typeof createServer>;
  readonly agent: { readonly version: string; readonly startedAt: string };
}

/** The manager asks over the same routes, with the same token, whoever opened the connection. */
function linkToManager(context: AgentContext, { server, agent, heartbeatMs }: LinkOptions): ManagerLink {
  const { clock, config } = context;
  return new ManagerLink({
    stateDirectory: config.stateDirectory,
    version: agent.version,
    clock,
    reporter: new Reporter({
      clock,
      read: async () => readServerInfo({ context, agent }, { signal: AbortSignal.timeout(reportLimitMs) }),
      isUp: async () => isDatabaseUp(context),
    }),
    answer: (request, response) => server.routing(request, response),
    log: server.log,
    ...(heartbeatMs === undefined ? {} : { beatEveryMs: heartbeatMs }),
  });
}

function runnerOf(context: AgentContext): Runner {
  return async (job, tools) => {
    switch (job.kind) {
      case 'backup':
        return runBackup(context, job, tools);
      case 'restore':
        return runRestore(context, job, tools);
      case 'drill':
        return runDrill(context, job, tools);
    }
  };
}

function measured(run: Runner, { metrics, clock }: { metrics: Metrics; clock: Clock }): Runner {
  return async (job, tools) => {
    const report: typeof tools.report = (progress) => {
      metrics.onLock(progress.isLocked, clock.elapsed());
      tools.report(progress);
    };
    try {
      return await run(job, { ...tools, report });
    } finally {
      metrics.onLock(false, clock.elapsed());
    }
  };
}

async function isDatabaseUp(context: AgentContext): Promise<boolean | undefined> {
  if (context.config.database === null) return undefined;
  try {
    const options = { signal: AbortSignal.timeout(databaseUpLimitMs), timeoutMs: databaseUpLimitMs };
    await using connection = await context.host.connect(await databaseConnection(context), options);
    await connection.query('SELECT 1');
    return true;
  } catch {
    return false;
  }
}

async function listen(
  server: ReturnType<typeof createServer>,
  { address, port }: AgentConfig['listen'],
): Promise<string> {
  try {
    await server.listen({ host: address, port });
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new PermanentFailure(
      'agent-not-listening',
      `Cannot listen on ${address}:${port} as the system refused: ${why}`,
      {
        cause,
        nextStep: "Stop what uses that port, or change `listen` in the agent's file.",
      },
    );
  }
  const bound: AddressInfo | string | null = server.server.address();
  const shown = address.includes(':') ? `[${address}]` : address;
  return `https://${shown}:${typeof bound === 'object' && bound !== null ? bound.port : port}`;
}
