import type { Change } from '../catalog/catalog.ts';
import { isKind } from './is-kind.ts';
import { folderOf, placeKey } from './needs.ts';
import type { RepositoryPlace } from './repositories.ts';

/** Which services have backups in which folder: too many to read them all whenever somebody asks. */
export class FolderUse {
  readonly #backups = new Map<string, { readonly place: string; readonly service: string }>();

  observe({ kind, name, resource }: Change): void {
    if (kind !== 'Backup') return;
    if (resource === undefined || !isKind('Backup', resource) || resource.status.state === 'Deleted')
      this.#backups.delete(name);
    else this.#backups.set(name, { place: placeKey(resource.spec), service: resource.spec.service });
  }

  /** Of a storage location, but for its top. */
  foldersOf(location: string): string[] {
    const folders = [...this.#backups.values()].map(({ place }) => folderOf(place, location) ?? '');
    return [...new Set(folders)].filter((folder) => folder !== '');
  }

  /** Sorted. */
  servicesIn(place: RepositoryPlace): string[] {
    const key = placeKey(place);
    const services = new Set<string>();
    for (const backup of this.#backups.values()) if (backup.place === key) services.add(backup.service);
    return [...services].toSorted();
  }
}
