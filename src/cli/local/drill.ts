import { resolve } from 'node:path';
import * as z from 'zod';
import { drillBackup, DRILL_QUERY_LIMIT_MS } from '../../core/drill.ts';
import { ownershipOfServers } from '../../core/host-user.ts';
import type { Ownership } from '../../core/ownership.ts';
import { serverOf } from '../../core/sealed-server.ts';
import { findServerProgram } from '../../core/server-program.ts';
import { Sql } from '../../engine/sql.ts';
import type { Invocation } from '../context.ts';
import { findSealed } from '../find-backup.ts';
import { ownershipOfOwner } from '../host-user.ts';
import { reportDrill } from '../job-report.ts';
import { Progress } from '../progress.ts';
import { openFully } from '../store.ts';
import { sayWhere } from '../where.ts';
import { stepState } from './steps.ts';
import { engineFor } from './tools.ts';

const optionsSchema = z.object({
  checksums: z.boolean().default(false),
  extended: z.boolean().default(false),
  directory: z.string(),
  serverProgram: z.string().optional(),
  owner: z.string().optional(),
  memory: z.number().optional(),
  service: z.string().optional(),
});

/** Proves a backup in this process. */
export async function drillHere({ context, args, options: raw }: Invocation): Promise<void> {
  const { output, signal, clock } = context;
  const options = optionsSchema.parse(raw);
  sayWhere(context);
  await using opened = await openFully(context);
  const { repository } = opened;
  const sealed = await findSealed(repository, args[0] ?? '', { signal, service: options.service });
  const server = serverOf(sealed);
  const engine = await engineFor(context, server);
  const program =
    options.serverProgram ??
    (await findServerProgram(server.vendor, { path: context.environment.path, naming: 'with --server-program' }));
  const ownership = await ownershipFor(options.owner);
  using progress = new Progress(output, context);
  const drilled = await drillBackup(sealed, {
    repository,
    engine,
    clock,
    signal,
    directory: resolve(options.directory),
    ...(ownership === undefined ? {} : { ownership }),
    server: {
      program,
      connect: async (socket, { signal: limit }) =>
        Sql.connect({ socket, user: 'root' }, { signal: limit, timeoutMs: DRILL_QUERY_LIMIT_MS }),
    },
    check: { depth: options.extended ? 'extended' : 'quick', withChecksums: options.checksums },
    onProgress: (now) => progress.update(stepState(now)),
    onLog: (line) => output.log(line),
    ...(options.memory === undefined ? {} : { memoryBytes: options.memory }),
  });
  progress[Symbol.dispose]();
  reportDrill(output, sealed.backup, { ...drilled, serverVersion: drilled.version });
}

/** Servers do not want to run as root. */
async function ownershipFor(owner: string | undefined): Promise<Ownership | undefined> {
  if (owner !== undefined) return ownershipOfOwner(owner);
  return process.geteuid?.() === 0 ? ownershipOfServers() : undefined;
}
