import { isDeepStrictEqual } from 'node:util';
import { change, find } from '../../control/find.ts';
import { Turnstile } from '../../control/turnstile.ts';
import type { Preflight } from '../../api/agent.ts';
import type { LocationSecrets } from '../../api/inventory.ts';
import { inventoryRoutes } from '../../api/inventory-routes.ts';
import type { Resource, SpecOf, StatusOf } from '../../api/resources.ts';
import type { SecretRecord } from '../../control/secrets.ts';
import { isoTime } from '../../lib/clock.ts';
import { Conflict } from '../../lib/failure.ts';
import { InvalidFields } from '../invalid-fields.ts';
import { LocationTestFailed } from '../location-test-failed.ts';
import { listPage } from './listing.ts';
import { forget, type MountRoutes, refuseIfUsed, type RouteContext } from './route-context.ts';

const kind = 'StorageLocation';
const never = new AbortController().signal;

/** Storage locations: tested before they are stored; their secrets go in and never come out. */
export const mountLocationRoutes: MountRoutes = (mount, context) => {
  const { catalog, secrets, control } = context;
  // Secrets and the resource are stored apart, so one request at a time.
  const inTurn = oneByOne();
  mount(inventoryRoutes.listLocations, async ({ query }) => listPage(context, kind, query));
  mount(inventoryRoutes.getLocation, async ({ params }) => find(catalog, kind, params.name));
  mount(inventoryRoutes.testLocation, async ({ body: { secrets: given, ...spec }, signal }) => {
    refuseWithoutPassphrase(spec, given);
    return control.testLocation({ spec, secrets: given }, { signal });
  });
  mount(inventoryRoutes.createLocation, async ({ body: { name, secrets: given, ...spec }, signal }) => {
    refuseWithoutPassphrase(spec, given);
    await refuseTaken(context, name);
    const test = await control.testLocation({ spec, secrets: given }, { signal });
    await control.refuseWrongKey({ name, spec, secrets: recordOf(given) }, { signal });
    return inTurn(async () => {
      // Before its secrets are, as those of another of that name would be lost.
      await refuseTaken(context, name);
      const status = statusOf(context, { test, secrets: recordOf(given) });
      await secrets.set(kind, name, recordOf(given));
      return catalog.create(kind, name, { spec, status });
    });
  });
  mount(inventoryRoutes.updateLocation, async ({ params: { name }, body, signal }) => {
    const { secrets: given = {}, ...changes } = body;
    const before = await find(catalog, kind, name);
    const spec = changed(before.spec, changes);
    // What it is called can be said of a store that is away.
    if (
      isDeepStrictEqual({ ...spec, description: '' }, { ...before.spec, description: '' }) &&
      body.secrets === undefined
    )
      return change(catalog, before, ({ status, ...now }) => ({ spec: changed(now.spec, changes), status }));
    const known = await secrets.get(kind, name);
    const merged = { ...known, ...recordOf(given) };
    refuseWithoutPassphrase(spec, merged);
    if (spec.isEncrypted !== before.spec.isEncrypted) await refuseOtherEncryption(context, name);
    const test = await control.testLocation({ spec, secrets: merged }, { signal });
    const status = statusOf(context, { test, secrets: merged });
    if (known['passphrase'] !== merged['passphrase'] || !isDeepStrictEqual(spec.place, before.spec.place))
      await control.refuseWrongKey({ name, spec, secrets: merged }, { signal });
    return inTurn(async () => {
      await secrets.set(kind, name, merged);
      return change(catalog, before, (now) => ({ spec: changed(now.spec, changes), status }));
    });
  });
  mount(inventoryRoutes.testStoredLocation, async ({ params, signal }) => {
    await find(catalog, kind, params.name);
    return control.testStoredLocation(params.name, { signal });
  });
  mount(inventoryRoutes.removeLocation, async ({ params: { name } }) =>
    inTurn(async () => {
      const location = await find(catalog, kind, name);
      const users = (await backupsIn(context, name)).map((backup) => `backup ${backup}`);
      refuseIfUsed(`storage location ${name}`, users, 'Delete the backups that are stored there first.');
      await forget(catalog, location);
      await secrets.remove(kind, name);
    }),
  );
};

function oneByOne(): <T>(work: () => Promise<T>) => Promise<T> {
  const turns = new Turnstile(1);
  return async (work) => {
    using _ = await turns.enter(never);
    return await work();
  };
}

type LocationSpec = SpecOf<'StorageLocation'>;

function changed(
  spec: LocationSpec,
  { place, isEncrypted, description }: { readonly [Field in keyof LocationSpec]?: LocationSpec[Field] | undefined },
): LocationSpec {
  return {
    place: place ?? spec.place,
    isEncrypted: isEncrypted ?? spec.isEncrypted,
    description: description ?? spec.description,
  };
}

/** @throws LocationTestFailed */
function statusOf(
  { clock }: RouteContext,
  { test, secrets }: { readonly test: Preflight; readonly secrets: SecretRecord },
): StatusOf<'StorageLocation'> {
  if (!test.isGo) throw new LocationTestFailed(test.findings);
  return {
    state: 'Working',
    testedAt: isoTime(clock.now()),
    findings: test.findings,
    secrets: Object.keys(secrets).toSorted(),
  };
}

function recordOf(secrets: LocationSecrets): SecretRecord {
  return Object.fromEntries(
    Object.entries(secrets).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function refuseWithoutPassphrase({ isEncrypted }: { readonly isEncrypted: boolean }, secrets: LocationSecrets): void {
  if (!isEncrypted || secrets.passphrase !== undefined) return;
  const message = 'what is stored is encrypted with it';
  throw new InvalidFields([{ path: 'body.secrets.passphrase', message }]);
}

async function refuseTaken({ catalog }: RouteContext, name: string): Promise<void> {
  if ((await catalog.get(kind, name)) === undefined) return;
  throw new Conflict('name-taken', `Cannot add the storage location ${name} as there is one of that name already`, {
    nextStep: 'Choose another name.',
  });
}

async function refuseOtherEncryption(context: RouteContext, name: string): Promise<void> {
  const [first] = await backupsIn(context, name);
  if (first === undefined) return;
  throw new Conflict(
    'in-use',
    `Cannot change the encryption of the storage location ${name} as backups are stored there: ${first}`,
    { nextStep: 'Add another storage location for backups that are stored otherwise.' },
  );
}

/** Names of the newest backups that are, or will be, stored there. */
async function backupsIn({ lists }: RouteContext, location: string): Promise<string[]> {
  const query = { page: 1, pageSize: 500, sort: '-createdAt', search: undefined, filters: { location } };
  const { items } = await lists.page('Backup', query);
  return items.flatMap((text) => {
    const { name, status }: Resource<'Backup'> = JSON.parse(text);
    return status.state === 'Deleted' ? [] : [name];
  });
}
