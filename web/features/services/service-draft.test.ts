import { describe, expect, test } from 'vitest';
import { inventoryRoutes, serviceCreateSchema } from '../../../src/api/inventory-routes.ts';
import { changeOf, checkService, specOf } from './service-draft.ts';

const draft = { name: 'shop', agent: 'db1', clusterLabel: '', description: ' Orders ' };

describe('what is typed into the form of a service', () => {
  test.each([draft, { ...draft, clusterLabel: 'finance/ledger' }])('is what the manager understands', (typed) => {
    expect(checkService(typed)).toEqual({});
    const body = { name: typed.name, ...specOf(typed) };
    expect(serviceCreateSchema.parse(body)).toEqual(body);
  });

  test('tells that a cluster label was taken out', () => {
    expect(inventoryRoutes.updateService.body.parse(changeOf(draft))).toMatchObject({ clusterLabel: null });
    expect(changeOf({ ...draft, clusterLabel: 'shop' })).toMatchObject({ clusterLabel: 'shop' });
  });

  test.each([
    [{ agent: '' }, 'agent'],
    [{ name: '' }, 'name'],
    [{ name: '-shop' }, 'name'],
    [{ clusterLabel: '/shop' }, 'clusterLabel'],
    [{ clusterLabel: 'a/../b' }, 'clusterLabel'],
  ])('%j is told at its field, as the manager would refuse it', (change, field) => {
    const typed = { ...draft, ...change };
    expect(Object.keys(checkService(typed))).toEqual([field]);
    expect(serviceCreateSchema.safeParse({ name: typed.name, ...specOf(typed) }).success).toBe(false);
  });
});
