import { join } from 'node:path';
import * as z from 'zod';
import { isThere, systemFiles } from '../core/placement-files.ts';
import { CorruptData } from '../lib/failure.ts';
import { readSecretFile } from '../lib/secret-file.ts';

const schema = z.object({
  version: z.literal(1),
  url: z.string(),
  fingerprint: z.string().optional(),
  /** The agent's name in the manager. */
  name: z.string(),
  /** With which the agent shows who it is. */
  credential: z.string(),
  connection: z.enum(['listens', 'dials']),
});

/** The manager that an agent joined. */
export type JoinedManager = Omit<z.output<typeof schema>, 'version'>;

/** `manager.json` in the agent's state directory, for the agent's user alone. */
export function managerFile(stateDirectory: string): string {
  return join(stateDirectory, 'manager.json');
}

/** @throws PermanentFailure `secret-file-open`, `secret-file-unreadable`; CorruptData `manager-file-damaged` */
export async function readJoinedManager(stateDirectory: string): Promise<JoinedManager | undefined> {
  const path = managerFile(stateDirectory);
  if (!(await isThere(path))) return undefined;
  const text = (await readSecretFile(path)).toString('utf8');
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new CorruptData(
    'manager-file-damaged',
    `Cannot tell which manager the agent joined as the file is damaged: ${path}`,
    {
      nextStep: 'Let the agent join again: `holdfast agent join`.',
    },
  );
}

export async function writeJoinedManager(stateDirectory: string, joined: JoinedManager): Promise<void> {
  const text = JSON.stringify({ version: 1, ...joined }, undefined, 2);
  await systemFiles.writeDurably(managerFile(stateDirectory), `${text}\n`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
