import { homedir } from 'node:os';
import { join } from 'node:path';
import { invalidConfig, readConfigFile } from '../lib/config-file.ts';
import { type ConfigFile, configFileSchema } from './config-schema.ts';

/** What a manager goes by, complete. */
export interface ManagerConfig extends Omit<ConfigFile, 'stateDirectory'> {
  readonly stateDirectory: string;
}

export const defaultConfigPath = '/etc/holdfast/manager.json';

/**
 * Reads the manager's own file: the one named, else the default one if it is there, else nothing but defaults.
 * @throws InvalidRequest `manager-config-missing`, `manager-config-invalid`; PermanentFailure `manager-config-unsafe`
 */
export async function loadManagerConfig(file?: string): Promise<ManagerConfig> {
  const given = await readConfigFile(file, { role: 'manager', defaultPath: defaultConfigPath });
  return completeManagerConfig(given ?? {}, file ?? defaultConfigPath);
}

/** Fills what is not said with what the environment tells. */
export function completeManagerConfig(given: unknown, where: string): ManagerConfig {
  const parsed = configFileSchema.safeParse(given);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw invalidConfig(where, issues.join('; '), { role: 'manager' });
  }
  return { ...parsed.data, stateDirectory: parsed.data.stateDirectory ?? defaultStateDirectory() };
}

function defaultStateDirectory(): string {
  if (process.geteuid?.() === 0) return '/var/lib/holdfast-manager';
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'holdfast-manager');
}
