import type { Preflight } from '../api/agent.ts';
import type { Resource } from '../api/resources.ts';
import { isoTime } from '../lib/clock.ts';
import type { Failure } from '../lib/failure.ts';
import type { ControlContext } from './context.ts';
import type { LocationTest } from './wish-types.ts';
import { change, find } from './find.ts';
import { type Finding, findingOf, gathered, preflightOf } from './findings.ts';
import type { ProbedVerbs } from './places.ts';
import type { SecretRecord } from './secrets.ts';

/** A store that answers slowly for ever must not keep a person waiting for ever. */
const LIMIT_MS = 30_000;

/** Which permission a verb needs, as S3 calls it, and what for. */
const verbs: Readonly<Record<string, { readonly permission: string; readonly words: string }>> = {
  put: { permission: 's3:PutObject', words: 'Objects can be written' },
  get: { permission: 's3:GetObject', words: 'Objects can be read back' },
  'get range': { permission: 's3:GetObject', words: 'Parts of objects can be read' },
  'put if absent': { permission: 's3:PutObject', words: 'Objects can be written on condition that there is none' },
  list: { permission: 's3:ListBucket', words: 'Objects can be listed' },
  delete: { permission: 's3:DeleteObject', words: 'Objects can be deleted' },
};

/** Writes, reads back, lists and deletes. */
export async function testLocation(
  { stores }: Pick<ControlContext, 'stores'>,
  { spec, secrets }: LocationTest,
  { signal: given }: { readonly signal: AbortSignal },
): Promise<Preflight> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  const signal = AbortSignal.any([given, limit]);
  const record: SecretRecord = JSON.parse(JSON.stringify(secrets));
  const findings: Finding[] = [];
  if (spec.isEncrypted && secrets.passphrase === undefined) findings.push(noPassphrase);
  try {
    await using storage = await stores.open({ spec, secrets: record, folder: undefined }, { signal, mayCreate: false });
    const probed = await stores.probe(storage, { signal });
    findings.push(...findingsOf(probed, spec.place.type === 's3'));
  } catch (error) {
    given.throwIfAborted();
    findings.push(limit.aborted ? tooSlow : findingOf(error));
  }
  return preflightOf(findings);
}

/** The same for a location in the catalog, whose status tells of it then. */
export async function testStoredLocation(
  context: ControlContext,
  name: string,
  options: { readonly signal: AbortSignal },
): Promise<Resource<'StorageLocation'>> {
  const { catalog, secrets, clock } = context;
  const { spec } = await find(catalog, 'StorageLocation', name);
  const record = await secrets.get('StorageLocation', name);
  const { isGo, findings } = await testLocation(context, { spec, secrets: record }, options);
  const testedAt = isoTime(clock.now());
  return change(catalog, { kind: 'StorageLocation', name }, (found) => ({
    spec: found.spec,
    status: { ...found.status, state: isGo ? 'Working' : 'Failing', testedAt, findings },
  }));
}

/** Can the manager read there, too? It reads back every backup before it calls it succeeded. */
export async function managerFindings(
  { stores, catalog, secrets }: ControlContext,
  place: { readonly location: string; readonly folder?: string | undefined },
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly Finding[]> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  const found = await gathered(signal, async () => {
    const { name, spec } = await find(catalog, 'StorageLocation', place.location);
    const limited = AbortSignal.any([signal, limit]);
    const wish = { spec, secrets: await secrets.get('StorageLocation', name), folder: undefined };
    await using storage = await stores.open(wish, { signal: limited, mayCreate: false });
    for await (const _object of storage.list('', { signal: limited })) break;
    return [];
  });
  return found.length > 0 && limit.aborted ? [tooSlow] : found;
}

function findingsOf({ findings, conditionalPut }: ProbedVerbs, isS3: boolean): Finding[] {
  const told = findings.map(({ verb, result, failure }): Finding => {
    const { permission, words } = verbs[verb] ?? { permission: verb, words: verb };
    const code = `store-${verb.replaceAll(' ', '-')}`;
    if (result === 'works') return { level: 'ok', code, message: `${words}.` };
    if (failure !== undefined) return refused(failure, isS3 ? permission : undefined);
    return { level: 'warning', code, message: `${words}? That could not be tried, as nothing could be written.` };
  });
  const canPut = findings.some(({ verb, result }) => verb === 'put if absent' && result === 'works');
  return canPut && !conditionalPut ? [...told, noCondition] : told;
}

function refused(failure: Failure, permission: string | undefined): Finding {
  const finding = findingOf(failure);
  if (permission === undefined || failure.code !== 'storage-access-denied') return finding;
  return { ...finding, nextStep: `Give these credentials the permission ${permission} for this bucket and prefix.` };
}

const noPassphrase: Finding = {
  level: 'error',
  code: 'passphrase-missing',
  message: 'What is stored here is to be encrypted, and there is no passphrase.',
  nextStep: 'Enter one, and keep it where you find it without this manager: nothing can be restored without it.',
};

const noCondition: Finding = {
  level: 'warning',
  code: 'store-overwrites',
  message:
    'The store ignores "write only if there is none": what a dead attempt left is cleared up only after seven days.',
};

const tooSlow: Finding = {
  level: 'error',
  code: 'store-too-slow',
  message: `The store has not answered within ${LIMIT_MS / 1000} seconds.`,
  nextStep: 'Check the address, and whether a firewall is between.',
};
