import { freedByDeleting } from '../core/freed-by-deleting.ts';
import { listBackups } from '../repository/list.ts';
import type { ControlContext } from './context.ts';
import type { Freed } from './wish-types.ts';
import { find } from './find.ts';

const AFTER_HOURS = 24;
const LIMIT_MS = 60_000;

/** What deleting a backup would free, and who needs the rest; read from its repository. */
export async function frees(
  { catalog, repositories }: ControlContext,
  name: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<Freed> {
  const { spec, status } = await find(catalog, 'Backup', name);
  // What was never sealed goes whole, and nobody leans on it; its size stands nowhere.
  if (status.result === undefined) return { freedBytes: 0, keptBytes: 0, usedBy: [], afterHours: AFTER_HOURS };
  return repositories.use(spec, { signal, limitMs: LIMIT_MS }, async (repository, limited) => {
    const listed = await listBackups(repository, { signal: limited });
    const sealed = listed.flatMap((each) => (each.state === 'sealed' ? [each.sealed] : []));
    const request = { sealed, deleted: new Set([status.id]), signal: limited };
    const { freedBytes, keptBytes, usedBy } = await freedByDeleting(repository, request);
    const names = new Map(sealed.map((each) => [each.backup, each.name]));
    return { freedBytes, keptBytes, usedBy: usedBy.map((id) => names.get(id) ?? id), afterHours: AFTER_HOURS };
  });
}
