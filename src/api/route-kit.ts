import * as z from 'zod';
import { resourceNameSchema } from './resource-fields.ts';

export const roleSchema = z.enum(['viewer', 'operator', 'admin']);
export type Role = z.output<typeof roleSchema>;

export interface ManagerRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/api/v1`; `:name` stands for the parameter of that name. */
  readonly path: string;
  /** The least that one must be; `anyone` need not have signed in. */
  readonly role: Role | 'anyone';
  /** One line for the OpenAPI document and the help. */
  readonly summary: string;
  readonly params: z.ZodType;
  readonly query: z.ZodType;
  readonly body: z.ZodType;
  readonly status: 200 | 201 | 202 | 204;
  readonly response: z.ZodType;
}

export const nothing = z.undefined();
export const none = z.object({});
export const byName = z.object({ name: resourceNameSchema });
export const get = { method: 'GET', body: nothing, params: none, query: none, status: 200, role: 'viewer' } as const;
export const post = { method: 'POST', params: none, query: none, role: 'operator' } as const;
export const remove = {
  method: 'DELETE',
  params: byName,
  query: none,
  body: nothing,
  status: 204,
  response: nothing,
} as const;

/** `sort` is a column, with `-` before it for descending. Pages are numbered from 1. */
export function listQuery<const Columns extends readonly [string, ...string[]], Filters extends z.ZodRawShape>(
  columns: Columns,
  filters: Filters,
) {
  const sorts = columns.flatMap((column) => [column, `-${column}`]);
  return z.object({
    page: z.coerce.number().int().min(1).max(1_000_000).default(1),
    pageSize: z.coerce.number().int().min(1).max(500).default(25),
    sort: z.enum(sorts as [string, ...string[]]).optional(),
    /** Part of a name, in any case. */
    search: z.string().max(200).optional(),
    ...filters,
  });
}

export function page<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    /** Of all pages. */
    total: z.int().nonnegative(),
    page: z.int(),
    pageSize: z.int(),
  });
}

/** Several values are separated by commas. */
export const oneOfSeveral = z.string().max(1000).optional();
