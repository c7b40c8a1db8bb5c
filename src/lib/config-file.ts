import { constants } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InvalidRequest, PermanentFailure } from './failure.ts';

/** Whose file it is, as errors say it. */
export type ConfiguredRole = 'agent' | 'manager';

const maximumBytes = 1024 * 1024;

/**
 * What the configuration file of a role says: the file that is named, else the default one. Undefined where the default one
 * is not there. Whoever could change it decides what the program does, so only its user and root may.
 * @throws InvalidRequest `<role>-config-missing`, `<role>-config-invalid`; PermanentFailure `<role>-config-unsafe`
 */
export async function readConfigFile(
  named: string | undefined,
  { role, defaultPath }: { readonly role: ConfiguredRole; readonly defaultPath: string },
): Promise<unknown> {
  const path = named ?? defaultPath;
  await using file = await openIfThere(path, role);
  if (file === undefined) {
    if (named === undefined) return undefined;
    throw new InvalidRequest(
      `${role}-config-missing`,
      `Cannot read the ${role}'s configuration as it is not there: ${named}`,
    );
  }
  await refuseUnsafe(path, file, role);
  const { size } = await file.stat();
  if (size > maximumBytes) throw invalidConfig(path, `it is longer than ${maximumBytes} bytes`, { role });
  const text = await file.readFile('utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalidConfig(path, cause instanceof Error ? cause.message : 'it is not JSON', { role, cause });
  }
}

export function invalidConfig(
  path: string,
  why: string,
  { role, cause }: { readonly role: ConfiguredRole; readonly cause?: unknown },
): InvalidRequest {
  return new InvalidRequest(
    `${role}-config-invalid`,
    `Cannot use the ${role}'s configuration ${path} as it is not valid: ${why}`,
    { cause, nextStep: `Correct it; docs/${role}.md describes every setting.` },
  );
}

async function openIfThere(path: string, role: ConfiguredRole): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new PermanentFailure(
      `${role}-config-unreadable`,
      `Cannot read the ${role}'s configuration as the system refused: ${path}`,
      { cause },
    );
  }
}

async function refuseUnsafe(path: string, file: FileHandle, role: ConfiguredRole): Promise<void> {
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
      `${role}-config-unsafe`,
      `Cannot use the ${role}'s configuration ${path} as ${name} is not safe: ${why}`,
      {
        nextStep: `Make root or the ${role}'s user its owner and take the right to write from others: chmod go-w ${name}`,
      },
    );
  }
}
