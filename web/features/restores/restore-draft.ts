import type * as z from 'zod';
import type { restoreTargetSchema } from '../../../src/api/backup-routes.ts';
import type { restoreCreateSchema } from '../../../src/api/restore-routes.ts';

export type RestoreTarget = z.output<typeof restoreTargetSchema>;
export type RestoreBody = z.input<typeof restoreCreateSchema>;

export type Where = 'same' | 'other' | 'directory';
/** What a person has answered so far. `undefined`: not answered; nothing is assumed. */
export interface RestoreDraft {
  readonly where: Where | undefined;
  /** Of `other`. */
  readonly service: string | undefined;
  /** Of `directory`: on whose host, and where there. */
  readonly agent: string | undefined;
  readonly directory: string;
  readonly identity: RestoreBody['identity'] | undefined;
  readonly replication: RestoreBody['replication'] | undefined;
  /** The service whose tables that are in no backup may be missing afterwards. */
  readonly acceptsMissingIn: string | undefined;
}

export const emptyRestore: RestoreDraft = {
  where: undefined,
  service: undefined,
  agent: undefined,
  directory: '',
  identity: undefined,
  replication: undefined,
  acceptsMissingIn: undefined,
};

/** Why the data of this service cannot be replaced by the backup; undefined when it can. */
export function whyNotInto(target: RestoreTarget): string | undefined {
  if (!target.isCompatible) return target.why;
  if (target.mayRestoreInPlace) return undefined;
  return `The agent ${target.agent} may not replace the data of its server. Its own file on the host decides that.`;
}

/** Why nothing can be restored into a directory of this host; undefined when something can. */
export function whyNoDirectory(target: RestoreTarget): string | undefined {
  if (target.directories.length > 0) return undefined;
  return `The agent ${target.agent} lists no directory for restores. Its own file on the host decides that.`;
}

/** Below the first directory that the agent allows, under the backup's name. */
export function proposeDirectory(target: RestoreTarget, backup: string): string {
  const [base] = target.directories;
  return base === undefined ? '' : `${base.replace(/\/+$/, '')}/${backup.replaceAll(':', '-')}`;
}

/** Undefined: it lies strictly below a directory that the agent allows. */
export function checkDirectory(directory: string, allowed: readonly string[]): string | undefined {
  const path = directory.trim();
  if (path === '') return 'Say where the data goes.';
  if (!path.startsWith('/')) return 'Give an absolute path.';
  const isBelow = allowed.some((base) => path.startsWith(`${base.replace(/\/+$/, '')}/`) && !path.endsWith('/'));
  if (!isBelow) return `It must be below ${allowed.join(' or ')}.`;
  return path.split('/').includes('..') ? 'It must not lead upwards.' : undefined;
}

/** What is chosen, once it is enough for a plan. */
export function targetOf(
  draft: RestoreDraft,
  targets: readonly RestoreTarget[],
): Pick<RestoreBody, 'agent' | 'target'> | undefined {
  if (draft.where === 'directory') return directoryOf(draft, targets);
  const chosen = targets.find(({ service, isSame }) =>
    draft.where === 'same' ? isSame : service !== undefined && service === draft.service,
  );
  if (draft.where === undefined || chosen?.service === undefined || whyNotInto(chosen) !== undefined) return undefined;
  return { agent: chosen.agent, target: { service: chosen.service } };
}

function directoryOf(
  { agent, directory }: RestoreDraft,
  targets: readonly RestoreTarget[],
): Pick<RestoreBody, 'agent' | 'target'> | undefined {
  const host = targets.find((target) => target.agent === agent);
  if (host === undefined || checkDirectory(directory, host.directories) !== undefined) return undefined;
  return { agent: host.agent, target: { directory: directory.trim() } };
}
