import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import * as z from 'zod';
import { loadAgentConfig } from '../agent/config.ts';
import { joinManager } from '../agent/join.ts';
import { InvalidRequest } from '../lib/failure.ts';
import type { Invocation } from './context.ts';
import { programVersion } from './version.ts';

const optionsSchema = z.object({
  config: z.string().optional(),
  name: z.string().optional(),
  listenUrl: z.string().optional(),
  dialOut: z.boolean().default(false),
});

const maximumBytes = 16 * 1024;

/** Lets the agent of this host join a manager. */
export async function joinCommand({ context, args, options: raw }: Invocation): Promise<void> {
  const { output, clock, signal } = context;
  const { config: file, name, listenUrl, dialOut } = optionsSchema.parse(raw);
  if (dialOut && listenUrl !== undefined) {
    throw new InvalidRequest('options-conflict', 'Cannot join as --dial-out and --listen-url exclude each other', {
      nextStep: 'Give the one that fits: does the manager reach this host, or only this host the manager?',
    });
  }
  const config = await loadAgentConfig(file);
  const token = await readToken(args[0] ?? '-');
  const joined = await joinManager({ token, name, listenUrl }, { config, version: programVersion(), clock, signal });
  const { url, name: given, connection } = joined;
  output.json({ type: 'result', name: given, url, connection });
  output.text(
    `This agent is ${given} of the manager at ${url}${connection === 'dials' ? ', which it dials' : ''}.`,
    'An agent that runs already is in touch in a few seconds; else start it.',
  );
}

/** Never an argument: those are seen by every user of the host. */
async function readToken(from: string): Promise<string> {
  const text = from === '-' ? await readAll(process.stdin) : await readTokenFile(from);
  return text.slice(0, maximumBytes).trim();
}

async function readTokenFile(path: string): Promise<string> {
  // Whoever gave the token itself must not find it in an error, which may be logged.
  if (path.startsWith('hfj1.')) throw unreadable('the token itself was given');
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(what: string, cause?: unknown): InvalidRequest {
  return new InvalidRequest('join-token-unreadable', `Cannot read the join token as its file cannot be read: ${what}`, {
    cause,
    nextStep: 'Name the file that holds it, or - to read it from the standard input.',
  });
}
