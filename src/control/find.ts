import type { Resource, ResourceKind } from '../api/resources.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { Conflict, InvalidRequest } from '../lib/failure.ts';

const words: Readonly<Record<ResourceKind, { readonly code: string; readonly words: string }>> = {
  Agent: { code: 'no-such-agent', words: 'agent' },
  Service: { code: 'no-such-service', words: 'service' },
  StorageLocation: { code: 'no-such-location', words: 'storage location' },
  Backup: { code: 'no-such-backup', words: 'backup' },
  Restore: { code: 'no-such-restore', words: 'restore' },
  Drill: { code: 'no-such-drill', words: 'drill' },
};

/** How often a change is tried again when somebody else was faster. */
const TRIES = 20;

/** @throws InvalidRequest `no-such-…` */
export async function find<Kind extends ResourceKind>(
  catalog: Catalog,
  kind: Kind,
  name: string,
): Promise<Resource<Kind>> {
  const found = await catalog.get(kind, name);
  if (found !== undefined) return found;
  const { code, words: what } = words[kind];
  throw new InvalidRequest(code, `Cannot find the ${what} ${name} as there is none of that name`, {
    nextStep: 'Look for it in the list; it may have been removed meanwhile.',
  });
}

/**
 * Changes what is there now, again and again if others change it meanwhile.
 * @param decide may be called several times; undefined leaves it as it is
 */
export async function change<Kind extends ResourceKind>(
  catalog: Catalog,
  { kind, name }: { readonly kind: Kind; readonly name: string },
  decide: (resource: Resource<Kind>) => Pick<Resource<Kind>, 'spec' | 'status'> | undefined,
): Promise<Resource<Kind>> {
  for (let tries = 1; ; tries += 1) {
    const found = await find(catalog, kind, name);
    const wanted = decide(found);
    if (wanted === undefined) return found;
    try {
      return await catalog.replace({ ...found, spec: wanted.spec, status: wanted.status });
    } catch (error) {
      const isRace = error instanceof Conflict && error.code === 'changed-meanwhile';
      if (!isRace || tries === TRIES) throw error;
    }
  }
}
