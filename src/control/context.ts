import type { Catalog } from '../catalog/catalog.ts';
import type { Clock } from '../lib/clock.ts';
import type { Launcher } from './launcher.ts';
import type { Stores } from './places.ts';
import type { ProgressHub } from './progress-hub.ts';
import type { Repositories } from './repositories.ts';
import type { SecretStore } from './secrets.ts';

/** What the parts of the control loops share. */
export interface ControlContext {
  readonly catalog: Catalog;
  readonly secrets: SecretStore;
  readonly launcher: Launcher;
  readonly stores: Stores;
  readonly repositories: Repositories;
  readonly progress: ProgressHub;
  readonly clock: Clock;
  /** For the manager's own log: what went wrong where nobody waits for an answer. */
  readonly onTrouble: (message: string, error?: unknown) => void;
  /** How long an agent may be silent until the attempt under way there has failed. */
  readonly lostAfterMs: number;
}
