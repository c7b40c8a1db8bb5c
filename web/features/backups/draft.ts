import type { In } from '../../lib/api.ts';
import { formatTime } from '../../lib/format.ts';
import type { Chosen } from './chosen.ts';

/** The form as it stands; numbers may be empty while one types. */
export interface Draft {
  readonly name: string;
  readonly service: string;
  readonly location: string;
  readonly folder: string;
  readonly retryMode: 'manual' | 'auto';
  readonly retries: number | '';
  readonly interval: number | '';
  readonly intervalUnit: IntervalUnit;
}

export type IntervalUnit = 'seconds' | 'minutes' | 'hours';
export const secondsPer: Readonly<Record<IntervalUnit, number>> = { seconds: 1, minutes: 60, hours: 3600 };

export const maximumRetries = 10;
export const maximumIntervalSeconds = 28_800;

export const emptyDraft: Draft = {
  name: '',
  service: '',
  location: '',
  folder: '',
  retryMode: 'manual',
  retries: 2,
  interval: 30,
  intervalUnit: 'seconds',
};

const draftKey = 'holdfast.create-backup';
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/;

/** As it was left when one went away to add a service or a location; what was added is chosen. */
export function keptDraft(chosen: Chosen, storage: Pick<Storage, 'getItem'> = sessionStorage): Draft {
  return { ...emptyDraft, ...parseKept(storage.getItem(draftKey)), ...chosen };
}

export function keepDraft(draft: Draft | undefined): void {
  if (draft === undefined) sessionStorage.removeItem(draftKey);
  else sessionStorage.setItem(draftKey, JSON.stringify(draft));
}

/** What is wrong with each field, for people; nothing where it is right. */
export function draftErrors(draft: Draft): Partial<Record<keyof Draft, string>> {
  const found: Readonly<Record<string, string | undefined>> = {
    name: nameError(draft.name),
    service: draft.service === '' ? 'Choose the service to back up.' : undefined,
    location: draft.location === '' ? 'Choose where to store it.' : undefined,
    folder: folderError(draft.folder),
    ...(draft.retryMode === 'auto' ? retryErrors(draft) : {}),
  };
  return Object.fromEntries(Object.entries(found).filter(([, error]) => error !== undefined));
}

export function requestOf(draft: Draft): In<'createBackup', 'body'> {
  const { name, service, location, folder, retryMode, retries, intervalUnit, interval } = draft;
  return {
    name: name.trim(),
    service,
    location,
    ...(folder === '' ? {} : { folder }),
    retry:
      retryMode === 'manual'
        ? { mode: 'manual' }
        : { mode: 'auto', retries: Number(retries), intervalSeconds: Number(interval) * secondsPer[intervalUnit] },
  };
}

/** A name that is likely to be free: `orders-2026-11-21-1543`, in the time of who reads it. */
export function suggestedName(service: string, now: number): string {
  return `${service.slice(0, 80)}-${formatTime(now).replace(' ', '-').replace(':', '')}`;
}

function nameError(name: string): string | undefined {
  if (name.trim() === '') return 'Give it a name.';
  if (name.trim().length > 100) return 'At most 100 characters.';
  return namePattern.test(name.trim())
    ? undefined
    : 'Letters, digits, dots, colons, underscores and hyphens; a letter or digit first.';
}

function folderError(folder: string): string | undefined {
  if (folder === '') return undefined;
  const isPath = folder.split('/').every((part) => !['', '.', '..'].includes(part));
  return isPath && folder.length <= 500 && !/[\\\p{Cc}]/u.test(folder) ? undefined : 'Names with / between them.';
}

function retryErrors({ retries, interval, intervalUnit }: Draft): Partial<Record<'retries' | 'interval', string>> {
  const isCount = retries !== '' && Number.isInteger(retries) && retries >= 1 && retries <= maximumRetries;
  const seconds = Number(interval) * secondsPer[intervalUnit];
  const isInterval = interval !== '' && Number.isInteger(seconds) && seconds >= 1 && seconds <= maximumIntervalSeconds;
  return {
    ...(isCount ? {} : { retries: `From 1 to ${maximumRetries}.` }),
    ...(isInterval ? {} : { interval: 'From 1 second to 8 hours.' }),
  };
}

function parseKept(text: string | null): Partial<Draft> {
  if (text === null) return {};
  try {
    const kept: unknown = JSON.parse(text);
    return typeof kept === 'object' && kept !== null ? kept : {};
  } catch {
    return {};
  }
}
