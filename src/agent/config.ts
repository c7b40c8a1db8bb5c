import { constants } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { InvalidRequest, PermanentFailure } from '../lib/failure.ts';
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
const maximumBytes = 1024 * 1024;
const standardPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Reads the agent's own file: the one named, else the default one if it is there, else nothing but defaults.
 * @throws InvalidRequest `agent-config-missing`, `agent-config-invalid`; PermanentFailure `agent-config-unsafe`
 */
export async function loadAgentConfig(file?: string): Promise<AgentConfig> {
  const text = await readConfigFile(file);
  return completeConfig(
    text === undefined ? {} : parseJson(text, file ?? defaultConfigPath),
    file ?? defaultConfigPath,
  );
}

/** Fills what is not said with what the environment tells. */
export function completeConfig(given: unknown, where: string): AgentConfig {
  const parsed = configFileSchema.safeParse(given);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw invalid(where, issues.join('; '));
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

async function readConfigFile(named: string | undefined): Promise<string | undefined> {
  const path = named ?? defaultConfigPath;
  await using file = await openIfThere(path);
  if (file === undefined) {
    if (named === undefined) return undefined;
    throw new InvalidRequest(
      'agent-config-missing',
      `Cannot read the agent's configuration as it is not there: ${named}`,
    );
  }
  await refuseUnsafe(path, file);
  const { size } = await file.stat();
  if (size > maximumBytes) throw invalid(path, `it is longer than ${maximumBytes} bytes`);
  return file.readFile('utf8');
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new PermanentFailure(
      'agent-config-unreadable',
      `Cannot read the agent's configuration as the system refused: ${path}`,
      { cause },
    );
  }
}

/** Whoever can write it decides what the agent does as its user. */
async function refuseUnsafe(path: string, file: FileHandle): Promise<void> {
  const directory = dirname(await realpath(path));
  const places = [
    { name: path, stat: await file.stat() },
    { name: directory, stat: await stat(directory) },
  ];
  for (const { name, stat: found } of places) {
    const isOthers = found.uid !== 0 && found.uid !== process.geteuid?.();
    // A directory such as /tmp, where nobody can replace what is another's, is good enough.
    const isShared = (found.mode & 0o022) !== 0 && (found.mode & 0o1000) === 0;
    if (!isOthers && !isShared) continue;
    const why = isOthers
      ? `it belongs to user ${found.uid}`
      : `others may write to it (mode ${(found.mode & 0o7777).toString(8)})`;
    throw new PermanentFailure(
      'agent-config-unsafe',
      `Cannot use the agent's configuration ${path} as ${name} is not safe: ${why}`,
      {
        nextStep: `Make root or the agent's user its owner and take the right to write from others: chmod go-w ${name}`,
      },
    );
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(path, cause instanceof Error ? cause.message : 'it is not JSON', cause);
  }
}

function invalid(path: string, why: string, cause?: unknown): InvalidRequest {
  return new InvalidRequest(
    'agent-config-invalid',
    `Cannot use the agent's configuration ${path} as it is not valid: ${why}`,
    {
      cause,
      nextStep: 'Correct it; docs/agent.md describes every setting.',
    },
  );
}
