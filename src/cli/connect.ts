import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import type { Trust } from '../api/pinned-agent.ts';
import type { Peer } from '../api/transport.ts';
import { InvalidRequest, PermanentFailure } from '../lib/failure.ts';
import type { Context } from './context.ts';
import { readPassphrase } from './unlock.ts';

/** How an agent or a manager is talked to. */
export const connectionSchema = z.object({
  tokenFile: z.string().optional(),
  fingerprint: z.string().optional(),
  caFile: z.string().optional(),
});
type Connection = z.infer<typeof connectionSchema>;

export async function tokenOf(
  { output, environment }: Context,
  { tokenFile }: Connection,
  peer: Peer,
): Promise<string> {
  if (tokenFile !== undefined) return readPassphrase(tokenFile, output);
  if (environment.token !== undefined) return environment.token;
  const nextStep =
    peer === 'agent'
      ? "Give a copy of the agent's token file with --token-file or HOLDFAST_TOKEN_FILE."
      : 'Give a file that holds an API token with --token-file or HOLDFAST_TOKEN_FILE; `holdfast token create` makes one.';
  throw new PermanentFailure('token-needed', `Cannot talk to the ${peer} as its token is not given`, { nextStep });
}

/** How to know that the right one answers; undefined where nothing is said of it. */
export async function trustOf({ fingerprint, caFile }: Connection): Promise<Trust | undefined> {
  if (fingerprint === undefined) return caFile === undefined ? undefined : { ca: await readCertificate(caFile) };
  if (caFile === undefined && /^([0-9a-f]{2}:?){32}$/i.test(fingerprint)) return { fingerprint };
  const why =
    caFile === undefined ? 'the fingerprint is not a SHA-256' : 'both a fingerprint and a certificate are given';
  throw new InvalidRequest('trust-unclear', `Cannot tell whom to trust as ${why}`, {
    nextStep: 'Give either --fingerprint with 64 hexadecimal digits, or --ca-file.',
  });
}

async function readCertificate(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new InvalidRequest('ca-file-unreadable', `Cannot read ${path} as the system refused`, { cause });
  }
}
