import * as z from 'zod';
import { InvalidRequest } from '../lib/failure.ts';
import { agentStatusSchema } from './inventory.ts';
import { resourceNameSchema } from './resource-fields.ts';

/**
 * How an agent joins a manager and stays in touch. The agent always begins: it joins once with a token that an admin made,
 * then tells every 50 seconds that it lives, and where it dials out, it keeps connections open on which the manager asks.
 * Unknown fields of what the other one sends are ignored, as it may be of the next version.
 */

export const enrolPath = '/api/v1/enrol';
export const heartbeatPath = '/api/v1/agents/self/heartbeat';
/** With `Upgrade: holdfast-tunnel`; after status 101 the agent serves its own API on the connection, in HTTP/1.1. */
export const tunnelPath = '/api/v1/agents/self/tunnel';
export const tunnelProtocol = 'holdfast-tunnel';
/** Connections that an agent keeps open at most, and that the manager uses at once. */
export const tunnelLimit = 16;

const joinTokenSchema = z.object({
  /** Where agents reach the manager. */
  url: z.string().min(1).max(2000),
  /** Of its certificate; absent where an authority that agents trust signed that. */
  fingerprint: z.string().max(200).optional(),
  /** Good once. */
  secret: z.string().min(20).max(200),
});
export type JoinToken = z.output<typeof joinTokenSchema>;

const prefix = 'hfj1.';

/** One word, to be copied by people. */
export function formatJoinToken(token: JoinToken): string {
  return `${prefix}${Buffer.from(JSON.stringify(token)).toString('base64url')}`;
}

/** @throws InvalidRequest `join-token-invalid` */
export function parseJoinToken(text: string): JoinToken {
  const trimmed = text.trim();
  const parsed = joinTokenSchema.safeParse(
    trimmed.startsWith(prefix) ? decode(trimmed.slice(prefix.length)) : undefined,
  );
  if (parsed.success) return parsed.data;
  throw new InvalidRequest('join-token-invalid', 'Cannot join with this token as it is none, or only a part of one', {
    nextStep: `Copy the whole word that begins with ${prefix}, or make a new token in the manager.`,
  });
}

function decode(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

/** What an agent tells of itself and its host. */
export const agentReportSchema = z.object(
  agentStatusSchema.pick({
    server: true,
    engines: true,
    restoreDirectories: true,
    mayRestoreInPlace: true,
    locations: true,
    managedLocations: true,
  }).shape,
);
export type AgentReport = z.output<typeof agentReportSchema>;

/** How the manager reaches the agent; it shows `agentToken` with each request. */
export const enrolledConnectionSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('listens'),
    url: z.url({ protocol: /^https$/ }),
    fingerprint: z.string().regex(/^[0-9A-Fa-f:]{64,95}$/),
    agentToken: z.string().min(16).max(1024),
  }),
  z.object({ type: z.literal('dials'), agentToken: z.string().min(16).max(1024) }),
]);
export type EnrolledConnection = z.output<typeof enrolledConnectionSchema>;

const versionSchema = z.string().min(1).max(100);
const hostnameSchema = z.string().max(300);

export const enrolRequestSchema = z.object({
  /** The secret of the join token. */
  token: z.string().max(200),
  name: resourceNameSchema,
  hostname: hostnameSchema,
  version: versionSchema,
  connection: enrolledConnectionSchema,
  /** Is there a database server to protect? */
  hasDatabase: z.boolean(),
  /** Random and the same when the request is sent again, so that a lost answer does not cost the token. */
  nonce: z.string().min(16).max(200),
});
export type EnrolRequest = z.output<typeof enrolRequestSchema>;

export const enrolAnswerSchema = z.object({
  name: resourceNameSchema,
  /** With which the agent shows who it is from now on. */
  credential: z.string(),
  version: z.string(),
});
export type EnrolAnswer = z.output<typeof enrolAnswerSchema>;

export const heartbeatSchema = z.object({
  version: versionSchema,
  hostname: hostnameSchema,
  /** When it is another one than the manager was told before, or was asked for. */
  report: agentReportSchema.optional(),
});
export type Heartbeat = z.input<typeof heartbeatSchema>;

export const heartbeatAnswerSchema = z.object({
  /** Send the report with the next heartbeat, soon. */
  wantsReport: z.boolean().default(false),
  version: z.string(),
});
