import { type Resource, type ResourceKind, type RunKind, runKinds } from '../../api/resources.ts';
import type { ListQuery } from '../lists/list-table.ts';
import type { RouteContext } from './route-context.ts';

/** A query as the routes of lists have it; what is no word of paging is a filter. */
interface AskedList {
  readonly page: number;
  readonly pageSize: number;
  readonly sort?: string | undefined;
  readonly search?: string | undefined;
}

export async function listPage<Kind extends ResourceKind>(
  { lists, control }: RouteContext,
  kind: Kind,
  { page, pageSize, sort, search, ...filters }: AskedList,
) {
  const { items, total } = await lists.page(kind, { page, pageSize, sort, search, filters: textsOf(filters) });
  const resources = items.map((text) => {
    const resource: Resource<Kind> = JSON.parse(text);
    return resource;
  });
  return { items: resources.map((resource) => withProgress(control, resource)), total, page, pageSize };
}

/** The progress that was heard last, where it runs: fresher than the catalog. */
export function withProgress<Kind extends ResourceKind>(
  { progress: hub }: RouteContext['control'],
  resource: Resource<Kind>,
): Resource<Kind> {
  const progress = isRun(resource.kind) ? hub.progressOf(resource.kind, resource.name) : undefined;
  return progress === undefined ? resource : { ...resource, status: { ...resource.status, progress } };
}

const underWay = 'Pending,Starting,Running,Waiting';

/** All of a kind that are under way. */
export async function runsUnderWay<Kind extends RunKind>(
  { lists }: RouteContext,
  kind: Kind,
): Promise<Resource<Kind>[]> {
  const query = { page: 1, pageSize: 500, sort: 'name', search: undefined, filters: { state: underWay } };
  const { items } = await lists.page(kind, query);
  return items.map((text) => {
    const resource: Resource<Kind> = JSON.parse(text);
    return resource;
  });
}

function isRun(kind: ResourceKind): kind is RunKind {
  return runKinds.some((each) => each === kind);
}

function textsOf(filters: Readonly<Record<string, unknown>>): ListQuery['filters'] {
  return Object.fromEntries(
    Object.entries(filters).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
}
