import type { Resource } from '../../api/resources.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { Control } from '../../control/control.ts';
import { find } from '../../control/find.ts';
import type { SecretStore } from '../../control/secrets.ts';
import type { Clock } from '../../lib/clock.ts';
import { Conflict } from '../../lib/failure.ts';
import type { Lists } from '../lists/lists.ts';
import type { People } from '../people/people.ts';
import type { Mount } from '../server.ts';

export interface JoinTokenWish {
  readonly validSeconds: number;
  /** Name of an agent that may join again. */
  readonly replaces?: string | undefined;
}

export interface JoinToken {
  readonly token: string;
  readonly expiresAt: string;
  /** What is typed on the agent's host. */
  readonly command: string;
}

/** What the routes work with. */
export interface RouteContext {
  readonly catalog: Catalog;
  readonly secrets: SecretStore;
  readonly control: Control;
  readonly lists: Lists;
  readonly people: People;
  readonly clock: Clock;
  /** Of this program. */
  readonly version: string;
  /** When an agent was heard last; undefined where that is not known better than the catalog does. */
  readonly lastSeenAt: (agent: string) => string | undefined;
  readonly makeJoinToken: (wish: JoinTokenWish) => Promise<JoinToken>;
}

/** Mounts the routes of one kind of thing. */
export type MountRoutes = (mount: Mount, context: RouteContext) => void;

/** Removes a resource if nothing uses it, also one that something else changes at the same time. */
export async function forget(catalog: Catalog, resource: Resource): Promise<void> {
  const { kind, name } = resource;
  for (let now: Resource = resource; ; now = await find(catalog, kind, name)) {
    try {
      return await catalog.remove(now);
    } catch (error) {
      if (!(error instanceof Conflict && error.code === 'changed-meanwhile')) throw error;
    }
  }
}

const namesShown = 5;

/** @throws Conflict `in-use` when there are users */
export function refuseIfUsed(what: string, users: readonly string[], nextStep: string): void {
  if (users.length === 0) return;
  const more = users.length > namesShown ? ` and ${users.length - namesShown} more` : '';
  throw new Conflict(
    'in-use',
    `Cannot forget the ${what} as it is in use: ${users.slice(0, namesShown).join(', ')}${more}`,
    { nextStep },
  );
}
