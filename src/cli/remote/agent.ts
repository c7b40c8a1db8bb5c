import * as z from 'zod';
import { AgentClient } from '../../api/client.ts';
import type { Trust } from '../../api/pinned-agent.ts';
import { InvalidRequest } from '../../lib/failure.ts';
import { connectionSchema, tokenOf, trustOf } from '../connect.ts';
import type { Context, Invocation } from '../context.ts';

const optionsSchema = connectionSchema.extend({
  agent: z.string(),
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
  const [token, trust] = [await tokenOf(context, options, 'agent'), await trustNeeded(options)];
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

async function trustNeeded(options: AgentOptions): Promise<Trust> {
  const trust = await trustOf(options);
  if (trust) return trust;
  throw new InvalidRequest('trust-needed', 'Cannot trust the agent as it is not said how to know it', {
    nextStep: 'Give --fingerprint with the 64 hexadecimal digits that the agent prints when it starts, or --ca-file.',
  });
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
