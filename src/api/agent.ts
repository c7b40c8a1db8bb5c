import * as z from 'zod';
import {
  backupJobSchema,
  backupRequestSchema,
  drillJobSchema,
  drillRequestSchema,
  jobFailureSchema,
  jobIdSchemas,
  jobSchema,
  restoreJobSchema,
  restoreRequestSchema,
} from './jobs.ts';

/**
 * What an agent's HTTP server answers. Everything but `/healthz` wants the header `Authorization: Bearer <token>`; bodies
 * are JSON; what is not a success is an `ErrorBody`. The log of a job is text, one line each:
 * `GET /v1/<kind>s/<id>/log?follow=true&from=<line>`, see `logPath`.
 */

export const findingSchema = z.object({
  level: z.enum(['ok', 'warning', 'error']),
  /** Stable. */
  code: z.string(),
  message: z.string(),
  nextStep: z.string().optional(),
});

/** No finding of level `error` means go. */
export const preflightSchema = z.object({ isGo: z.boolean(), findings: z.array(findingSchema) });
export type Preflight = z.infer<typeof preflightSchema>;

const preflightRequestSchema = z.discriminatedUnion('kind', [
  backupRequestSchema.extend({ kind: z.literal('backup') }),
  restoreRequestSchema.extend({ kind: z.literal('restore') }),
]);
export type PreflightRequest = z.input<typeof preflightRequestSchema>;

const agentSelfSchema = z.object({ version: z.string(), startedAt: z.iso.datetime() });
export type AgentSelf = z.output<typeof agentSelfSchema>;

export const serverInfoSchema = z.object({
  agent: agentSelfSchema,
  /** Undefined where the agent has no database server: a host for drills. */
  database: z
    .discriminatedUnion('isUp', [
      z.object({
        isUp: z.literal(true),
        vendor: z.string(),
        version: z.string(),
        identity: z.string(),
        lineage: z.string(),
        /** Empty when there is none. */
        gtid: z.string(),
        dataDirectory: z.string(),
        /** Undefined when it cannot be read. */
        dataBytes: z.int().nonnegative().optional(),
        /** What of its data lies outside its data directory. */
        directories: z.array(z.object({ what: z.string(), path: z.string() })).default([]),
      }),
      z.object({ isUp: z.literal(false), failure: jobFailureSchema }),
    ])
    .optional(),
  /** Backup tools on the host, and which of them fits the server. */
  engines: z.array(z.object({ name: z.string(), version: z.string(), isChosen: z.boolean() })),
  /** What the agent's own file allows. */
  locations: z.array(z.string()),
  /** Where locations may be that come with a request; `*` is anywhere. */
  managedLocations: z.array(z.string()).default([]),
  restoreDirectories: z.array(z.string()),
  mayRestoreInPlace: z.boolean(),
});
export type ServerInfo = z.infer<typeof serverInfoSchema>;

const listSchema = z.object({ jobs: z.array(jobSchema) });
const nothing = z.undefined();
const noParams = z.object({});

function idOf<Id extends z.ZodType>(id: Id) {
  return z.object({ id });
}

export interface Route {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** `:id` stands for the parameter of that name. */
  readonly path: string;
  readonly params: z.ZodType;
  readonly body: z.ZodType;
  /** Status of a success, and what it answers. */
  readonly status: 200 | 202;
  readonly response: z.ZodType;
}

const backupId = idOf(jobIdSchemas.backup);
const restoreId = idOf(jobIdSchemas.restore);
const drillId = idOf(jobIdSchemas.drill);

const started = { method: 'PUT', status: 202 } as const;
const shown = { method: 'GET', body: nothing, status: 200 } as const;
const cancelled = { method: 'DELETE', body: nothing, status: 202 } as const;

/** Server and client go by this table; starting and cancelling are idempotent. */
export const agentRoutes = {
  startBackup: {
    ...started,
    path: '/v1/backups/:id',
    params: backupId,
    body: backupRequestSchema,
    response: backupJobSchema,
  },
  getBackup: { ...shown, path: '/v1/backups/:id', params: backupId, response: backupJobSchema },
  cancelBackup: { ...cancelled, path: '/v1/backups/:id', params: backupId, response: backupJobSchema },
  startRestore: {
    ...started,
    path: '/v1/restores/:id',
    params: restoreId,
    body: restoreRequestSchema,
    response: restoreJobSchema,
  },
  getRestore: { ...shown, path: '/v1/restores/:id', params: restoreId, response: restoreJobSchema },
  cancelRestore: { ...cancelled, path: '/v1/restores/:id', params: restoreId, response: restoreJobSchema },
  startDrill: {
    ...started,
    path: '/v1/drills/:id',
    params: drillId,
    body: drillRequestSchema,
    response: drillJobSchema,
  },
  getDrill: { ...shown, path: '/v1/drills/:id', params: drillId, response: drillJobSchema },
  cancelDrill: { ...cancelled, path: '/v1/drills/:id', params: drillId, response: drillJobSchema },
  /** Newest first. */
  listJobs: { ...shown, path: '/v1/jobs', params: noParams, response: listSchema },
  /** Costs nothing: does it answer, and to this token? */
  getAgent: { ...shown, path: '/v1/agent', params: noParams, response: agentSelfSchema },
  getServer: { ...shown, path: '/v1/server', params: noParams, response: serverInfoSchema },
  /** Changes nothing, but for two small objects that try a store in which no repository is yet. */
  preflight: {
    method: 'POST',
    path: '/v1/preflight',
    params: noParams,
    body: preflightRequestSchema,
    status: 200,
    response: preflightSchema,
  },
} as const satisfies Record<string, Route>;

/** `from` counts lines from 0. With `follow` the answer goes on until the job ends, or nothing was said for a while. */
export const logQuerySchema = z.object({
  from: z.coerce.number().int().nonnegative().default(0),
  follow: z.enum(['true', 'false']).default('false'),
});

/** On the answer to a log request: the number of its first line, as older ones may be gone. */
export const firstLineHeader = 'holdfast-first-line';

export function logPath(kind: keyof typeof jobIdSchemas, id: string): string {
  return `/v1/${kind}s/${encodeURIComponent(id)}/log`;
}
