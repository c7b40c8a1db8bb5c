import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { AgentClient } from '../../api/client.ts';
import type { Trust } from '../../api/pinned-agent.ts';
import { InvalidRequest, PermanentFailure } from '../../lib/failure.ts';
import type { Context, Invocation } from '../context.ts';
import { readPassphrase } from '../unlock.ts';

const optionsSchema = z.object({
  agent: z.string(),
  tokenFile: z.string().optional(),
  fingerprint: z.string().optional(),
  caFile: z.string().optional(),
  location: z.string().optional(),
  folder: z.string().exactOptional(),
});
type AgentOptions = z.infer<typeof optionsSchema>;

/** An agent, and where on it the repository is. */
export interface Remote extends Disposable {
  readonly client: AgentClient;
  readonly place: { readonly location: string; readonly folder?: string };
}

/** Says hello to the agent that is named, so that a wrong token or address is told of before anything else. */
export async function openAgent({ context, options: raw }: Invocation): Promise<Remote> {
  const options = optionsSchema.parse(raw);
  const [token, trust] = [await tokenOf(context, options), await trustOf(options)];
  const client = new AgentClient({ url: options.agent, token, trust });
  try {
    const place = { location: await locationOf(context, options, client) };
    return {
      client,
      place: options.folder === undefined ? place : { ...place, folder: options.folder },
      [Symbol.dispose]: () => client[Symbol.dispose](),
    };
  } catch (error) {
    client[Symbol.dispose]();
    throw error;
  }
}

/** How to reach the database server is said by the agent's own file. */
export const serverOptionNames = ['socket', 'host', 'port', 'user', 'passwordFile', 'defaultsFile'];

/** What only this process could heed. @param names of options, as commander spells them */
export function refuseLocalOptions({ options }: Invocation, names: readonly string[]): void {
  const given = names.filter((name) => options[name] !== undefined && options[name] !== false);
  const [first] = given;
  if (first === undefined) return;
  const flag = `--${first.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new InvalidRequest('option-not-for-agents', `Cannot use ${flag} on an agent as its own file says that`, {
    nextStep: `Leave out ${flag}, or --agent and HOLDFAST_URL to do it in this process.`,
  });
}

async function tokenOf({ output, environment }: Context, { tokenFile }: AgentOptions): Promise<string> {
  if (tokenFile !== undefined) return readPassphrase(tokenFile, output);
  if (environment.token !== undefined) return environment.token;
  throw new PermanentFailure('token-needed', 'Cannot talk to the agent as its token is not given', {
    nextStep: "Give a copy of the agent's token file with --token-file or HOLDFAST_TOKEN_FILE.",
  });
}

async function trustOf({ fingerprint, caFile }: AgentOptions): Promise<Trust> {
  if (caFile !== undefined && fingerprint === undefined) return { ca: await readCertificate(caFile) };
  if (fingerprint !== undefined && /^([0-9a-f]{2}:?){32}$/i.test(fingerprint)) return { fingerprint };
  const why = fingerprint === undefined ? 'it is not said how to know it' : 'the fingerprint is not a SHA-256';
  throw new InvalidRequest('trust-needed', `Cannot trust the agent as ${why}`, {
    nextStep: 'Give --fingerprint with the 64 hexadecimal digits that the agent prints when it starts, or --ca-file.',
  });
}

async function readCertificate(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new InvalidRequest('ca-file-unreadable', `Cannot read ${path} as the system refused`, { cause });
  }
}

async function locationOf({ signal }: Context, { location }: AgentOptions, client: AgentClient): Promise<string> {
  const { locations } = await client.server({ signal });
  const [only] = locations;
  if (location !== undefined) return location;
  if (only !== undefined && locations.length === 1) return only;
  throw new InvalidRequest('location-unclear', 'Cannot tell which storage location of the agent is meant', {
    evidence: [`its file lists ${locations.length === 0 ? 'none' : locations.join(', ')}`],
    nextStep: 'Name one with --location.',
  });
}
