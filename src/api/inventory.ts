import * as z from 'zod';
import { findingSchema } from './agent.ts';
import { jobFailureSchema } from './jobs.ts';
import { descriptionSchema, folderSchema, resourceNameSchema } from './resource-fields.ts';

/** What is there to protect and to store in: agents, services, storage locations. */

const time = z.iso.datetime();
const bytes = z.int().nonnegative();

// Agents

export const agentSpecSchema = z.strictObject({
  /** Does the manager call the agent, or does the agent keep connections to the manager open? */
  connection: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('listens'), url: z.url({ protocol: /^https$/ }), fingerprint: z.string() }),
    z.strictObject({ type: z.literal('dials') }),
  ]),
  description: descriptionSchema,
});

export const agentStatusSchema = z.object({
  /** `NotTrusted`: something else answers at its address, or refuses the manager's token. */
  state: z.enum(['Unknown', 'Connected', 'Lost', 'NotTrusted']),
  lastSeenAt: time.optional(),
  /** Of its program. */
  version: z.string().optional(),
  hostname: z.string().optional(),
  /** What it said of itself last. */
  server: z
    .object({
      isUp: z.boolean(),
      vendor: z.string(),
      version: z.string(),
      identity: z.string(),
      lineage: z.string(),
      dataDirectory: z.string(),
      dataBytes: bytes.optional(),
    })
    .partial()
    .required({ isUp: true })
    .optional(),
  engines: z.array(z.object({ name: z.string(), version: z.string(), isChosen: z.boolean() })).default([]),
  restoreDirectories: z.array(z.string()).default([]),
  mayRestoreInPlace: z.boolean().default(false),
  /** Names of locations of its own file, and the prefixes of those that it takes from a manager. */
  locations: z.array(z.string()).default([]),
  managedLocations: z.array(z.string()).default([]),
  failure: jobFailureSchema.optional(),
});

// Services

export const serviceSpecSchema = z.strictObject({
  /** Name of the agent beside it. */
  agent: resourceNameSchema,
  /** Prefills the folder of its backups. */
  clusterLabel: folderSchema.optional(),
  description: descriptionSchema,
});

export const serviceStatusSchema = z.object({
  /** `Down`: the agent is there, the database server is not. */
  state: z.enum(['Unknown', 'Online', 'Down', 'AgentLost']),
  vendor: z.string().optional(),
  version: z.string().optional(),
  identity: z.string().optional(),
  lineage: z.string().optional(),
  dataBytes: bytes.optional(),
  /** The tool that backs it up. */
  engine: z.string().optional(),
  failure: jobFailureSchema.optional(),
});

// Storage locations

export const s3PlaceSchema = z.strictObject({
  type: z.literal('s3'),
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i, 'a bucket name: 3 to 63 letters, digits, dots or hyphens'),
  prefix: folderSchema.optional(),
  region: z.string().min(1).max(100).optional(),
  /** Of a store other than Amazon's. */
  endpoint: z.url({ protocol: /^https?$/ }).optional(),
  addressing: z.enum(['path', 'virtual']).optional(),
});
export const directoryPlaceSchema = z.strictObject({
  type: z.literal('directory'),
  /** The same path on the manager's host and on each agent's: a shared file system, or one host. */
  path: z
    .string()
    .min(2)
    .max(4000)
    .regex(/^\/[^\p{Cc}]*$/u, 'an absolute path'),
});

export const locationSpecSchema = z.strictObject({
  place: z.discriminatedUnion('type', [s3PlaceSchema, directoryPlaceSchema]),
  /** What is stored here is encrypted with a passphrase; it cannot be changed once a repository is there. */
  isEncrypted: z.boolean(),
  description: descriptionSchema,
});

/** Write-only: they go in and never come out. */
export const locationSecretsSchema = z.strictObject({
  accessKeyId: z.string().min(1).max(500).optional(),
  secretAccessKey: z.string().min(1).max(500).optional(),
  sessionToken: z.string().min(1).max(5000).optional(),
  passphrase: z.string().min(8).max(1000).optional(),
});
export type LocationSecrets = z.output<typeof locationSecretsSchema>;

export const locationStatusSchema = z.object({
  state: z.enum(['Unknown', 'Working', 'Failing']),
  testedAt: time.optional(),
  /** One for each verb that was tried. */
  findings: z.array(findingSchema).default([]),
  /** Which secrets are there, by name, never what they are. */
  secrets: z.array(z.string()).default([]),
});
