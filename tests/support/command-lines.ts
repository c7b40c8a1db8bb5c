import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Looks at the command lines of all processes while `work` runs. @returns those that hold one of the secrets */
export async function commandLinesWith(secrets: readonly string[], work: Promise<unknown>): Promise<string[]> {
  const found = new Set<string>();
  let isDone = false;
  const done = work.finally(() => (isDone = true));
  while (!isDone) {
    for (const line of commandLines()) if (secrets.some((secret) => line.includes(secret))) found.add(line);
    await sleep(5);
  }
  await done;
  return [...found];
}

export function commandLines(): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
    } catch {
      return [];
    }
  });
}
