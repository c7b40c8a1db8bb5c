import * as z from 'zod';
import type { LocationSecrets } from '../../api/inventory.ts';
import type { CallInput, CallOutput } from '../../api/manager-client.ts';
import { msOf } from '../../lib/clock.ts';
import { InvalidRequest } from '../../lib/failure.ts';
import { formatAge } from '../format.ts';
import { readPassphrase } from '../unlock.ts';
import { sayFindings } from './findings.ts';
import { onManager, type OnManager } from './open.ts';
import { confirmRemoval, said, sayFacts, sayTable, sayTest } from './say.ts';

const placeOptions = z.object({
  bucket: z.string().optional(),
  prefix: z.string().exactOptional(),
  region: z.string().exactOptional(),
  endpoint: z.string().exactOptional(),
  addressing: z.enum(['path', 'virtual']).exactOptional(),
  directory: z.string().optional(),
});
const locationOptions = z.object({
  description: z.string().exactOptional(),
  passphraseFile: z.string().optional(),
  encryption: z.boolean().default(true),
});
type Place = CallInput<'createLocation'>['body']['place'];

export const listLocations = onManager(async ({ context, client, signal }) => {
  const { items } = await client.call('listLocations', { query: { pageSize: 500 }, signal });
  for (const each of items) context.output.json({ type: 'storage', ...each });
  const columns = ['NAME', 'STATE', 'PLACE', 'ENCRYPTED', 'TESTED'].map((title) => ({ title }));
  const rows = items.map(({ name, spec, status }) => [
    name,
    status.state,
    placeText(spec.place),
    spec.isEncrypted ? 'yes' : 'no',
    status.testedAt === undefined ? '' : formatAge(context.clock.now() - msOf(status.testedAt)),
  ]);
  sayTable(context.output, { columns, rows, none: 'No storage location is there yet: `holdfast storage add`.' });
});

export const showLocation = onManager(async ({ context, client, name, signal }) => {
  const location = await client.call('getLocation', { params: { name }, signal });
  const { spec, status } = location;
  sayFacts(context.output, location, [
    ['Name', name],
    ['State', status.state],
    ['Place', placeText(spec.place)],
    ['Encrypted', spec.isEncrypted ? 'yes' : 'no'],
    ['Secrets', status.secrets.join(', ')],
    ['Description', spec.description],
  ]);
  sayFindings(context.output, status.findings);
});

export const addLocation = onManager(async (on) => {
  const { context, client, name, signal } = on;
  const { description, encryption, passphraseFile } = locationOptions.parse(globalAndOwn(on));
  const place = placeOf(on);
  if (place === undefined) throw placeNeeded();
  if (encryption && passphraseFile === undefined) {
    throw new InvalidRequest(
      'encryption-unclear',
      'Cannot add a storage location as it is not said how it is encrypted',
      {
        nextStep: 'Give --passphrase-file, or --no-encryption if all who can read the store may read the backups.',
      },
    );
  }
  const secrets = await secretsOf(on, encryption ? passphraseFile : undefined);
  const body = { name, place, isEncrypted: encryption, secrets, ...(description === undefined ? {} : { description }) };
  said(
    context.output,
    await client.call('createLocation', { body, signal }),
    `Storage location ${name} works and is added.`,
  );
});

export const editLocation = onManager(async (on) => {
  const { context, client, name, signal } = on;
  const { description, passphraseFile } = locationOptions.parse(globalAndOwn(on));
  const place = placeOf(on);
  const secrets = await secretsOf(on, passphraseFile);
  const body = {
    ...(place === undefined ? {} : { place }),
    ...(description === undefined ? {} : { description }),
    ...(Object.keys(secrets).length === 0 ? {} : { secrets }),
  };
  const location = await client.call('updateLocation', { params: { name }, body, signal });
  said(context.output, location, `Storage location ${name} works and is changed.`);
});

export const testLocation = onManager(async ({ context, client, name, signal }) => {
  const { status } = await client.call('testStoredLocation', { params: { name }, signal });
  sayTest(context.output, { isGo: status.state === 'Working', findings: status.findings }, `storage location ${name}`);
});

export const removeLocation = onManager(async (on) => {
  await confirmRemoval(on, `Storage location ${on.name} will be forgotten; what is stored there stays.`);
  await on.client.call('removeLocation', { params: { name: on.name }, signal: on.signal });
  said(on.context.output, { name: on.name }, `Storage location ${on.name} is removed.`);
});

function globalAndOwn({ invocation, context }: OnManager): Record<string, unknown> {
  return { ...invocation.options, passphraseFile: context.options.passphraseFile };
}

function placeOf({ invocation }: OnManager): Place | undefined {
  const { bucket, directory, ...more } = placeOptions.parse(invocation.options);
  if (bucket !== undefined && directory !== undefined) throw placeNeeded();
  if (bucket !== undefined) return { type: 's3', bucket, ...more };
  return directory === undefined ? undefined : { type: 'directory', path: directory };
}

function placeNeeded(): InvalidRequest {
  return new InvalidRequest('place-unclear', 'Cannot tell where the storage location is', {
    nextStep: 'Give either --bucket or --directory.',
  });
}

async function secretsOf({ context }: OnManager, passphraseFile: string | undefined): Promise<LocationSecrets> {
  const given = Object.entries(context.environment.storageSecrets).filter(([, value]) => value !== undefined);
  const passphrase =
    passphraseFile === undefined ? {} : { passphrase: await readPassphrase(passphraseFile, context.output) };
  return { ...Object.fromEntries(given), ...passphrase };
}

function placeText(place: CallOutput<'getLocation'>['spec']['place']): string {
  if (place.type === 'directory') return place.path;
  const { bucket, prefix, endpoint } = place;
  return `s3://${bucket}${prefix === undefined ? '' : `/${prefix}`}${endpoint === undefined ? '' : ` at ${endpoint}`}`;
}
