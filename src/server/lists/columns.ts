import type { Resource, ResourceKind } from '../../api/resources.ts';
import { msOf } from '../../lib/clock.ts';

type Value = string | number | null;

/** How the resources of a kind are listed. */
export interface Listing<Kind extends ResourceKind> {
  /** What one can sort by, and what is compared. Nothing known (null) comes before everything else. */
  readonly sorts: Readonly<Record<string, (resource: Resource<Kind>) => Value>>;
  /** What one can filter by; values are compared whole. */
  readonly filters: Readonly<Record<string, (resource: Resource<Kind>) => string>>;
  /** A column, with `-` before it for descending. */
  readonly defaultSort: string;
}

export type Listings = { readonly [Kind in ResourceKind]: Listing<Kind> };

const proofRanks = { sealed: 1, checked: 2, proven: 3 } as const;
const nameOf = ({ name }: Resource): string => name;
const createdAtOf = ({ createdAt }: Resource): string => createdAt;

export const listings: Listings = {
  Agent: {
    sorts: {
      name: nameOf,
      state: ({ status }) => status.state,
    },
    filters: { state: ({ status }) => status.state },
    defaultSort: 'name',
  },
  Service: {
    sorts: {
      name: nameOf,
      agent: ({ spec }) => spec.agent,
      technology: ({ status }) => status.vendor ?? null,
      state: ({ status }) => status.state,
      dataBytes: ({ status }) => status.dataBytes ?? null,
    },
    filters: { state: ({ status }) => status.state },
    defaultSort: 'name',
  },
  StorageLocation: {
    sorts: {
      name: nameOf,
      type: ({ spec }) => spec.place.type,
      state: ({ status }) => status.state,
    },
    filters: { state: ({ status }) => status.state },
    defaultSort: 'name',
  },
  Backup: {
    sorts: {
      name: nameOf,
      service: ({ spec }) => spec.service,
      technology: ({ status }) => status.technology ?? null,
      createdAt: createdAtOf,
      state: ({ status }) => status.state,
      location: ({ spec }) => spec.location,
      logicalBytes: ({ status }) => status.result?.logicalBytes ?? null,
      storedBytes: ({ status }) => status.result?.storedBytes ?? null,
      durationMs: durationOf,
      proof: ({ status }) => (status.proof === undefined ? 0 : proofRanks[status.proof.level]),
    },
    filters: {
      state: ({ status }) => status.state,
      service: ({ spec }) => spec.service,
      technology: ({ status }) => status.technology ?? '',
      location: ({ spec }) => spec.location,
      proof: ({ status }) => status.proof?.level ?? 'none',
      pinned: ({ spec }) => String(spec.isPinned),
    },
    defaultSort: '-createdAt',
  },
  Restore: runListing(),
  Drill: runListing(),
};

function runListing<Kind extends 'Restore' | 'Drill'>(): Listing<Kind> {
  return {
    sorts: {
      name: nameOf,
      backup: ({ spec }) => spec.backup,
      agent: ({ spec }) => spec.agent,
      createdAt: createdAtOf,
      state: ({ status }) => status.state,
      durationMs: durationOf,
    },
    filters: { state: ({ status }) => status.state, backup: ({ spec }) => spec.backup },
    defaultSort: '-createdAt',
  };
}

/** Of what has ended. */
function durationOf({ status }: Resource<'Backup' | 'Restore' | 'Drill'>): number | null {
  const { startedAt, endedAt } = status;
  return startedAt === undefined || endedAt === undefined ? null : msOf(endedAt) - msOf(startedAt);
}
