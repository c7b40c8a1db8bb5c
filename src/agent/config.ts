import { homedir } from 'node:os';
import { join } from 'node:path';
import { invalidConfig, readConfigFile } from '../lib/config-file.ts';
import { type ConfigFile, configFileSchema } from './config-schema.ts';

/** What an agent goes by, complete. */
export interface AgentConfig extends Omit<ConfigFile, 'stateDirectory' | 'drill' | 'tokenFile' | 'toolPath'> {
  readonly stateDirectory: string;
  readonly drill: { readonly directory: string; readonly serverProgram: string | undefined };
  readonly tokenFile: string;
  readonly toolPath: string;
  /** More of the environment that tools get. */
  readonly toolEnv: Readonly<Record<string, string>>;
}

export const defaultConfigPath = '/etc/holdfast/agent.json';
const standardPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Reads the agent's own file: the one named, else the default one if it is there, else nothing but defaults.
 * @throws InvalidRequest `agent-config-missing`, `agent-config-invalid`; PermanentFailure `agent-config-unsafe`
 */
export async function loadAgentConfig(file?: string): Promise<AgentConfig> {
  const given = await readConfigFile(file, { role: 'agent', defaultPath: defaultConfigPath });
  return completeConfig(given ?? {}, file ?? defaultConfigPath);
}

/** Fills what is not said with what the environment tells. */
export function completeConfig(given: unknown, where: string): AgentConfig {
  const parsed = configFileSchema.safeParse(given);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw invalidConfig(where, issues.join('; '), { role: 'agent' });
  }
  const file = parsed.data;
  const stateDirectory = file.stateDirectory ?? defaultStateDirectory();
  const libraryPath = process.env['LD_LIBRARY_PATH'];
  return {
    ...file,
    stateDirectory,
    drill: {
      directory: file.drill.directory ?? join(stateDirectory, 'drills'),
      serverProgram: file.drill.serverProgram,
    },
    tokenFile: file.tokenFile ?? join(stateDirectory, 'token'),
    toolPath: file.toolPath ?? process.env['PATH'] ?? standardPath,
    toolEnv: libraryPath === undefined ? {} : { LD_LIBRARY_PATH: libraryPath },
  };
}

export function defaultStateDirectory(): string {
  if (process.geteuid?.() === 0) return '/var/lib/holdfast';
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'holdfast');
}
