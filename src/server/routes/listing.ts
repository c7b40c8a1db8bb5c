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
  context: RouteContext,
  kind: Kind,
  { page, pageSize, sort, search, ...filters }: AskedList,
) {
  const read = async (query: Pick<ListQuery, 'page' | 'pageSize' | 'sort'>) => {
    const { items, total } = await context.lists.page(kind, { ...query, search, filters: textsOf(filters) });
    return { items: items.map((text) => withLatest(context, parsed<Kind>(text))), total };
  };
  if (kind !== 'Agent' || !isBySeen(sort)) return { ...(await read({ page, pageSize, sort })), page, pageSize };
  const { items, total } = await read({ page: 1, pageSize: everyone, sort: 'name' });
  const from = (page - 1) * pageSize;
  return { items: bySeen(items, sort).slice(from, from + pageSize), total, page, pageSize };
}

const everyone = 1_000_000;

/** By what changes with each heartbeat and is in no table, so that all of them are looked at. */
function isBySeen(sort: string | undefined): sort is '-lastSeenAt' | 'lastSeenAt' {
  return sort === 'lastSeenAt' || sort === '-lastSeenAt';
}

/** Those that were never heard come first, or last, as in every list. */
function bySeen<Kind extends ResourceKind>(
  agents: readonly Resource<Kind>[],
  sort: '-lastSeenAt' | 'lastSeenAt',
): readonly Resource<Kind>[] {
  const seenAt = ({ status }: Resource<Kind>): string => ('lastSeenAt' in status && status.lastSeenAt) || '';
  const sorted = agents.toSorted((a, b) => {
    const [one, other] = [seenAt(a), seenAt(b)];
    return one < other ? -1 : one > other ? 1 : 0;
  });
  return sort === 'lastSeenAt' ? sorted : sorted.toReversed();
}

function parsed<Kind extends ResourceKind>(text: string): Resource<Kind> {
  return JSON.parse(text);
}

/** What was heard last, fresher than the catalog: the progress of what runs, the time of an agent's heartbeat. */
export function withLatest<Kind extends ResourceKind>(
  context: Pick<RouteContext, 'control' | 'lastSeenAt'>,
  resource: Resource<Kind>,
): Resource<Kind> {
  const latest = latestOf(context, resource);
  return latest === undefined ? resource : { ...resource, status: { ...resource.status, ...latest } };
}

function latestOf(
  { control, lastSeenAt }: Pick<RouteContext, 'control' | 'lastSeenAt'>,
  { kind, name }: Pick<Resource, 'kind' | 'name'>,
) {
  const seenAt = kind === 'Agent' ? lastSeenAt(name) : undefined;
  if (seenAt !== undefined) return { lastSeenAt: seenAt };
  const progress = isRun(kind) ? control.progress.progressOf(kind, name) : undefined;
  return progress === undefined ? undefined : { progress };
}

const underWay = 'Pending,Starting,Running,Waiting';

/** All of a kind that are under way. */
export async function runsUnderWay<Kind extends RunKind>(
  { lists }: RouteContext,
  kind: Kind,
): Promise<Resource<Kind>[]> {
  const query = { page: 1, pageSize: 500, sort: 'name', search: undefined, filters: { state: underWay } };
  const { items } = await lists.page(kind, query);
  return items.map((text) => parsed<Kind>(text));
}

function isRun(kind: ResourceKind): kind is RunKind {
  return runKinds.some((each) => each === kind);
}

function textsOf(filters: Readonly<Record<string, unknown>>): ListQuery['filters'] {
  return Object.fromEntries(
    Object.entries(filters).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
}
