import type { ServerInfo } from '../api/agent.ts';
import { describeFailure } from '../api/describe-failure.ts';
import { dataOutside } from '../core/data-outside.ts';
import { type AgentContext, databaseConnection } from './context.ts';
import type { Abortable } from './host.ts';

export interface AboutAgent {
  readonly context: AgentContext;
  readonly agent: ServerInfo['agent'];
}

/** The server as it is now, the tools of the host, and what the agent's file allows. */
export async function readServerInfo({ context, agent }: AboutAgent, options: Abortable): Promise<ServerInfo> {
  const { config, host } = context;
  const { engines } = await host.findEngines(options);
  const database = await databaseInfo(context, options);
  const chosen = database?.isUp === true ? host.chooseEngine(database, engines).engine : undefined;
  return {
    agent,
    ...(database === undefined ? {} : { database }),
    engines: engines.map((engine) => ({ name: engine.name, version: engine.version, isChosen: engine === chosen })),
    locations: Object.keys(config.locations),
    managedLocations: config.managedLocations,
    restoreDirectories: config.restore.directories,
    mayRestoreInPlace: config.restore.mayRestoreInPlace,
  };
}

async function databaseInfo(context: AgentContext, options: Abortable) {
  if (context.config.database === null) return undefined;
  try {
    const facts = await context.host.readServerFacts(await databaseConnection(context), options);
    const { vendor, version, identity, gtid, dataDirectory, dataBytes } = facts;
    const lineage = await context.lineages.of(facts);
    const size = dataBytes === undefined ? {} : { dataBytes };
    // A data directory that cannot be read is for the checks before a backup or restore to tell.
    const outside = await dataOutside(facts).catch(() => []);
    const kept = outside.filter(({ handling }) => handling.kind !== 'watch');
    const directories = kept.map(({ what, path }) => ({ what, path }));
    return { isUp: true, vendor, version, identity, lineage, gtid, dataDirectory, directories, ...size } as const;
  } catch (error) {
    options.signal.throwIfAborted();
    return { isUp: false, failure: describeFailure(error) } as const;
  }
}
