import { once } from 'node:events';
import * as z from 'zod';
import { loadAgentConfig } from '../agent/config.ts';
import { startAgent } from '../agent/main.ts';
import type { Invocation } from './context.ts';
import { formatFacts } from './table.ts';
import { programVersion } from './version.ts';

const optionsSchema = z.object({ config: z.string().optional(), logLevel: z.string() });

/** Runs an agent until a signal asks for its end. */
export async function agentCommand({ context, options: raw }: Invocation): Promise<void> {
  const { output, signal, interruption } = context;
  const { config, logLevel } = optionsSchema.parse(raw);
  interruption.expect();
  await using agent = await startAgent(await loadAgentConfig(config), { version: programVersion(), logLevel });
  const { url, fingerprint, tokenFile } = agent;
  output.json({ type: 'ready', url, fingerprint, tokenFile });
  output.text(
    `Agent at ${url}`,
    ...formatFacts([
      ['fingerprint', fingerprint],
      ['token file', tokenFile],
    ]).map((line) => `  ${line}`),
  );
  if (!signal.aborted) await once(signal, 'abort');
}
