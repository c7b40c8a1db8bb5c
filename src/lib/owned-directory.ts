import { hash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** One of another container cannot be asked whether it lives: what it made is left alone for so long. */
const strangerMs = 24 * 3600_000;

/**
 * Makes a directory that only this process uses, in a place where others make theirs. Nobody clears up for a process that
 * was killed, so the next one to come removes what is left of it; the name tells whose it is.
 * @param kind begins the name, e.g. `holdfast-drill`
 */
export async function makeOwnedDirectory(parent: string, kind: string): Promise<string> {
  const path = await mkdtemp(join(parent, `${kind}-${process.pid}-${startOf(process.pid) ?? 0}-${host()}-${space()}-`));
  await removeOrphans(parent, { kind, fresh: path }).catch(() => undefined);
  return path;
}

async function removeOrphans(parent: string, { kind, fresh }: { kind: string; fresh: string }): Promise<void> {
  const now = (await stat(fresh)).mtimeMs;
  for (const name of await readdir(parent)) {
    if (!name.startsWith(`${kind}-`)) continue;
    const path = join(parent, name);
    // Another user's directory cannot be removed, and need not be.
    if (await isOrphan(path, { name: name.slice(kind.length + 1), now }))
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function isOrphan(path: string, { name, now }: { name: string; now: number }): Promise<boolean> {
  const [pid = '', start = '', itsHost = '', itsSpace = '', rest] = name.split('-');
  if (rest === undefined || itsHost !== host()) return false;
  if (itsSpace === space()) return startOf(Number(pid)) !== Number(start);
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && now - found.mtimeMs > strangerMs;
}

/** When the process began, in ticks since the system did: ids are used again. Undefined when there is none. */
function startOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended.
    return fields[0] === 'Z' ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}

function host(): string {
  return hash('sha256', hostname()).slice(0, 8);
}

/** Process ids mean something within one of these only. */
function space(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '');
  } catch {
    return '0';
  }
}
