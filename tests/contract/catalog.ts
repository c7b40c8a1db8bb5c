import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Resource, SpecOf, StatusOf } from '../../src/api/resources.ts';
import { serviceSpecSchema, serviceStatusSchema } from '../../src/api/inventory.ts';
import type { Catalog, Change } from '../../src/catalog/catalog.ts';

export interface CatalogFixture extends AsyncDisposable {
  /** Empty. */
  readonly catalog: Catalog;
}

interface ServiceContent {
  readonly spec: SpecOf<'Service'>;
  readonly status: StatusOf<'Service'>;
}

export function serviceContent(description = ''): ServiceContent {
  return {
    spec: serviceSpecSchema.parse({ agent: 'db1', description }),
    status: serviceStatusSchema.parse({ state: 'Unknown' }),
  };
}

/** The promises of the contract in src/catalog/catalog.ts, tried on one adapter. */
export function describeCatalog(name: string, open: () => Promise<CatalogFixture>): void {
  describe(`${name} as a catalog`, () => {
    let fixture: CatalogFixture;
    const catalog = (): Catalog => fixture.catalog;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(async () => {
      await fixture[Symbol.asyncDispose]();
    });

    describeResources(catalog);
    describeConflicts(catalog);
    describeLists(catalog);
    describeWatching(catalog);
  });
}

function describeResources(catalog: () => Catalog): void {
  test('gives back what was created, changed and removed', async () => {
    expect(await catalog().get('Service', 'a')).toBeUndefined();
    const made = await catalog().create('Service', 'a', serviceContent('first'));
    expect(made).toMatchObject({ kind: 'Service', name: 'a', spec: { description: 'first' } });
    expect(await catalog().get('Service', 'a')).toEqual(made);

    const changed = await catalog().replace({ ...made, status: { ...made.status, state: 'Online' } });
    expect(changed).toMatchObject({ uid: made.uid, createdAt: made.createdAt, status: { state: 'Online' } });
    expect(changed.version).toBeGreaterThan(made.version);
    expect(await catalog().get('Service', 'a')).toEqual(changed);

    await catalog().remove(changed);
    expect(await catalog().get('Service', 'a')).toBeUndefined();
  });

  test('gives a name again, but neither its uid nor a version', async () => {
    const first = await catalog().create('Service', 'a', serviceContent());
    await catalog().remove(first);
    const second = await catalog().create('Service', 'a', serviceContent());
    expect(second.uid).not.toBe(first.uid);
    expect(second.version).toBeGreaterThan(first.version);
  });

  test('keeps kinds apart', async () => {
    await catalog().create('Service', 'a', serviceContent());
    expect(await catalog().get('Agent', 'a')).toBeUndefined();
  });

  test('takes nothing in that could not be read again', async () => {
    const bad = { ...serviceContent(), spec: { agent: 'no/name', description: '' } };
    await expect(catalog().create('Service', 'a', bad)).rejects.toMatchObject({ code: 'catalog-damaged' });
    expect(await catalog().get('Service', 'a')).toBeUndefined();
  });
}

function describeConflicts(catalog: () => Catalog): void {
  test('a name is given once', async () => {
    const made = await catalog().create('Service', 'a', serviceContent('first'));
    await expect(catalog().create('Service', 'a', serviceContent('second'))).rejects.toMatchObject({
      code: 'name-taken',
    });
    expect(await catalog().get('Service', 'a')).toEqual(made);
  });

  test('of many that change the same version one wins', async () => {
    const made = await catalog().create('Service', 'a', serviceContent());
    const changes = Array.from({ length: 20 }, async (_, index) =>
      catalog().replace({ ...made, spec: { ...made.spec, description: `by ${index}` } }),
    );
    const results = await Promise.allSettled(changes);
    const lost = results.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(lost).toHaveLength(19);
    for (const error of lost) expect(error).toMatchObject({ code: 'changed-meanwhile' });
  });

  test('a resource that is gone, or another one of its name, is not changed and not removed', async () => {
    const first = await catalog().create('Service', 'a', serviceContent('first'));
    await catalog().remove(first);
    await expect(catalog().replace(first)).rejects.toMatchObject({ code: 'changed-meanwhile' });
    const second = await catalog().create('Service', 'a', serviceContent('second'));
    await expect(catalog().replace(first)).rejects.toMatchObject({ code: 'changed-meanwhile' });
    await expect(catalog().replace({ ...first, version: second.version })).rejects.toMatchObject({
      code: 'changed-meanwhile',
    });
    await expect(catalog().remove(first)).rejects.toMatchObject({ code: 'changed-meanwhile' });
    expect(await catalog().get('Service', 'a')).toEqual(second);
  });
}

function describeLists(catalog: () => Catalog): void {
  test('lists all of one kind by name, also while they change', async () => {
    const names = Array.from({ length: 1001 }, (_, index) => `s${String(index * 7919).padStart(8, '0')}`);
    for (const name of names.toReversed()) await catalog().create('Service', name, serviceContent());
    const seen: string[] = [];
    for await (const resource of catalog().list('Service')) {
      seen.push(resource.name);
      if (seen.length % 100 === 0) await catalog().replace(resource);
    }
    expect(seen).toEqual(names);
    for await (const resource of catalog().list('Agent')) expect(resource).toBeUndefined();
  });
}

function describeWatching(catalog: () => Catalog): void {
  test('tells every change from the call on, in order, and ends with the signal', async () => {
    await catalog().create('Service', 'before', serviceContent());
    const ending = new AbortController();
    const changes = catalog().watch({ signal: ending.signal });
    const seen: Change[] = [];
    const reading = (async () => {
      for await (const change of changes) seen.push(change);
    })();
    const made = await catalog().create('Service', 'a', serviceContent());
    await expect.poll(() => seen.at(-1)?.resource?.version).toBe(made.version);
    const changed = await catalog().replace(made);
    await expect.poll(() => seen.at(-1)?.resource?.version).toBe(changed.version);
    await catalog().remove(changed);
    await expect.poll(() => seen.at(-1)).toEqual({ kind: 'Service', name: 'a', resource: undefined });
    ending.abort();
    await reading;
    expect(seen.map(({ name }) => name)).toEqual(['a', 'a', 'a']);
  });

  test('what was refused is no change', async () => {
    const ending = new AbortController();
    const first = await catalog().create('Service', 'a', serviceContent());
    const changes = catalog().watch({ signal: ending.signal })[Symbol.asyncIterator]();
    await catalog()
      .create('Service', 'a', serviceContent())
      .catch(() => undefined);
    await catalog().remove(first);
    await catalog()
      .replace(first)
      .catch(() => undefined);
    const last: Resource = await catalog().create('Service', 'z', serviceContent());
    const seen = [(await changes.next()).value, (await changes.next()).value];
    expect(seen).toMatchObject([{ name: 'a', resource: undefined }, { name: 'z' }]);
    expect(last.name).toBe('z');
    ending.abort();
    expect(await changes.next()).toMatchObject({ done: true });
  });
}
