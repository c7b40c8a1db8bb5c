import * as z from 'zod';
import { preflightSchema } from './agent.ts';
import { folderSchema, resourceNameSchema } from './resource-fields.ts';
import { resourceSchema } from './resources.ts';
import {
  byName,
  get,
  listQuery,
  type ManagerRoute,
  none,
  nothing,
  oneOfSeveral,
  page,
  post,
  remove,
} from './route-kit.ts';
import { backupSpecSchema } from './runs.ts';

export const backupColumns = [
  'name',
  'service',
  'technology',
  'createdAt',
  'state',
  'location',
  'logicalBytes',
  'storedBytes',
  'durationMs',
  'proof',
] as const;

const backup = resourceSchema('Backup');

export const backupCreateSchema = z.strictObject({
  name: resourceNameSchema,
  ...backupSpecSchema.pick({
    service: true,
    location: true,
    folder: true,
    description: true,
    compression: true,
    parallel: true,
    lockedStallSeconds: true,
    retry: true,
  }).shape,
});
/** Where a backup could go; those that cannot say why. */
export const restoreTargetSchema = z.object({
  agent: resourceNameSchema,
  /** Undefined: a host of which only directories can be used. */
  service: resourceNameSchema.optional(),
  isSame: z.boolean(),
  isCompatible: z.boolean(),
  why: z.string(),
  directories: z.array(z.string()),
  mayRestoreInPlace: z.boolean(),
});

export const backupRoutes = {
  listBackups: {
    ...get,
    path: '/backups',
    summary: 'Backups',
    query: listQuery(backupColumns, {
      state: oneOfSeveral,
      service: oneOfSeveral,
      technology: oneOfSeveral,
      location: oneOfSeveral,
      proof: oneOfSeveral,
      pinned: z.enum(['true', 'false']).optional(),
    }),
    response: page(backup),
  },
  getBackup: { ...get, path: '/backups/:name', params: byName, summary: 'One backup', response: backup },
  createBackup: {
    ...post,
    path: '/backups',
    summary: 'Back up a service now',
    body: backupCreateSchema,
    status: 201,
    response: backup,
  },
  preflightBackup: {
    ...post,
    path: '/backups/preflight',
    summary: 'What would keep a backup from succeeding',
    body: z.strictObject({
      service: resourceNameSchema,
      location: resourceNameSchema,
      folder: folderSchema.optional(),
    }),
    status: 200,
    response: preflightSchema.extend({
      /** Backups of which services share the folder, and so wait for each other. */ sharedWith:
        z.array(resourceNameSchema),
    }),
  },
  cancelBackup: {
    ...post,
    path: '/backups/:name/cancel',
    summary: 'End a backup that is under way or waits',
    params: byName,
    body: nothing,
    status: 202,
    response: backup,
  },
  retryBackup: {
    ...post,
    path: '/backups/:name/retry',
    summary: 'Try a failed backup once more',
    params: byName,
    body: nothing,
    status: 202,
    response: backup,
  },
  pinBackup: {
    method: 'PUT',
    path: '/backups/:name/pin',
    role: 'operator',
    summary: 'Keep a backup from being deleted',
    params: byName,
    query: none,
    body: nothing,
    status: 200,
    response: backup,
  },
  unpinBackup: {
    ...remove,
    path: '/backups/:name/pin',
    role: 'operator',
    summary: 'Let a backup be deleted again',
    status: 200,
    response: backup,
  },
  previewDelete: {
    ...get,
    path: '/backups/:name/frees',
    params: byName,
    summary: 'What deleting would free',
    response: z.object({
      freedBytes: z.int().nonnegative(),
      keptBytes: z.int().nonnegative(),
      usedBy: z.array(resourceNameSchema),
      afterHours: z.number(),
    }),
  },
  deleteBackup: {
    ...remove,
    path: '/backups/:name',
    role: 'operator',
    summary: 'Delete a backup from its storage location',
    query: z.object({ /** The name again. */ confirm: z.string() }),
    status: 202,
    response: backup,
  },
  restoreTargets: {
    ...get,
    path: '/backups/:name/targets',
    params: byName,
    summary: 'Where a backup could be restored to',
    response: z.object({ items: z.array(restoreTargetSchema) }),
  },
} as const satisfies Record<string, ManagerRoute>;
