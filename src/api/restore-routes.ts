import * as z from 'zod';
import { findingSchema } from './agent.ts';
import { resourceNameSchema } from './resource-fields.ts';
import { resourceSchema } from './resources.ts';
import { byName, get, listQuery, type ManagerRoute, nothing, oneOfSeveral, page, post } from './route-kit.ts';
import { drillSpecSchema, restoreSpecSchema } from './runs.ts';

export const runColumns = ['name', 'backup', 'agent', 'createdAt', 'state', 'durationMs'] as const;
const restore = resourceSchema('Restore');
const drill = resourceSchema('Drill');

export const restoreCreateSchema = restoreSpecSchema
  .omit({ isCancelled: true })
  .extend({ name: resourceNameSchema.optional() });
export const drillCreateSchema = drillSpecSchema.omit({ isCancelled: true }).extend({
  name: resourceNameSchema.optional(),
  /** Without it the manager chooses one that can. */
  agent: resourceNameSchema.optional(),
});
const planStepSchema = z.object({
  name: z.string(),
  /** What happens, for people. */
  text: z.string(),
  /** Milliseconds it took the last time, scaled to this size; absent where nothing is known. */
  expectedMs: z.int().nonnegative().optional(),
  /** Does the server stand still meanwhile? */
  isDowntime: z.boolean(),
});

/** What a restore would do. */
export const restorePlanSchema = z.object({
  isGo: z.boolean(),
  findings: z.array(findingSchema),
  steps: z.array(planStepSchema),
  logicalBytes: z.int().nonnegative(),
  serverVersion: z.string(),
  targetVersion: z.string().optional(),
  /** Where the replication of the restored data would go on. */
  gtid: z.string().optional(),
  binlog: z.object({ file: z.string(), position: z.string() }).optional(),
});

export const restoreRoutes = {
  listRestores: {
    ...get,
    path: '/restores',
    summary: 'Restores',
    query: listQuery(runColumns, { state: oneOfSeveral, backup: oneOfSeveral }),
    response: page(restore),
  },
  getRestore: { ...get, path: '/restores/:name', params: byName, summary: 'One restore', response: restore },
  planRestore: {
    ...post,
    path: '/restores/plan',
    summary: 'What a restore would do',
    body: restoreCreateSchema,
    status: 200,
    response: restorePlanSchema,
  },
  createRestore: {
    ...post,
    path: '/restores',
    summary: 'Restore a backup',
    body: restoreCreateSchema,
    status: 201,
    response: restore,
  },
  cancelRestore: {
    ...post,
    path: '/restores/:name/cancel',
    summary: 'End a restore',
    params: byName,
    body: nothing,
    status: 202,
    response: restore,
  },
  listDrills: {
    ...get,
    path: '/drills',
    summary: 'Drills',
    query: listQuery(runColumns, { state: oneOfSeveral, backup: oneOfSeveral }),
    response: page(drill),
  },
  getDrill: { ...get, path: '/drills/:name', params: byName, summary: 'One drill', response: drill },
  createDrill: {
    ...post,
    path: '/drills',
    summary: 'Restore a backup into a scratch directory and start a server on it',
    body: drillCreateSchema,
    status: 201,
    response: drill,
  },
  cancelDrill: {
    ...post,
    path: '/drills/:name/cancel',
    summary: 'End a drill',
    params: byName,
    body: nothing,
    status: 202,
    response: drill,
  },
} as const satisfies Record<string, ManagerRoute>;
