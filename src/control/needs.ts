import type { RunKind } from '../api/resources.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Need, RunRef } from './admission.ts';
import { find } from './find.ts';
import type { RepositoryPlace } from './repositories.ts';

/** An agent beside a server does one thing at a time, one without a server one of each kind. */
export async function agentNeed(catalog: Catalog, name: string, kind: RunKind): Promise<Need> {
  const { status } = await find(catalog, 'Agent', name);
  const isDrillHost = status.state === 'Connected' && status.server === undefined;
  return {
    key: isDrillHost ? `agent ${name} ${kind}` : `agent ${name}`,
    explain: (holder) => `${wordsOf(holder)} is under way at agent ${name}.`,
  };
}

/** Backups that share a folder wait for each other, so that each leans on what the one before found. */
export function folderNeed({ location, folder }: RepositoryPlace): Need {
  return {
    key: `folder ${placeKey({ location, folder })}`,
    explain: (holder) => `${wordsOf(holder)} is under way in the same folder, ${folder ?? 'the top'} of ${location}.`,
  };
}

/** The same text for the same repository. */
export function placeKey({ location, folder }: RepositoryPlace): string {
  return `${location}\n${folder ?? ''}`;
}

/** The folder in such a text; undefined where it is of another location. */
export function folderOf(key: string, location: string): string | undefined {
  const [name, folder = ''] = key.split('\n');
  return name === location ? folder : undefined;
}

function wordsOf({ kind, name, service }: RunRef): string {
  return service === undefined ? `${kind} ${name}` : `${kind} ${name} of service ${service}`;
}
