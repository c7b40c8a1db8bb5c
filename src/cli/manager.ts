import { once } from 'node:events';
import * as z from 'zod';
import { loadManagerConfig } from '../manager/config.ts';
import { startManager } from '../manager/main.ts';
import type { Invocation } from './context.ts';
import { announce } from './announce.ts';
import { programVersion } from './version.ts';

const optionsSchema = z.object({ config: z.string().optional(), logLevel: z.string() });

/** Runs a manager until a signal asks for its end. */
export async function managerCommand({ context, options: raw }: Invocation): Promise<void> {
  const { output, signal, interruption } = context;
  const { config, logLevel } = optionsSchema.parse(raw);
  interruption.expect();
  await using manager = await startManager(await loadManagerConfig(config), { version: programVersion(), logLevel });
  await announce(output, manager);
  if (!signal.aborted) await once(signal, 'abort');
}
