import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { AgentClient } from '../../src/api/client.ts';
import { isEnded, type JobOf } from '../../src/api/jobs.ts';
import { programOf } from './programs.ts';
import { neverAborted as signal } from './repositories.ts';

/** The steps of a backup as an agent tells of them; `locked` is copying while the tool holds a lock. */
export const backupSteps = ['preflight', 'starting', 'copying', 'locked', 'uploading', 'sealing'] as const;
export type BackupStep = (typeof backupSteps)[number];

export interface AttemptOrder {
  readonly backup: string;
  /** Counted from 1. */
  readonly attempt: number;
}

export interface Watcher {
  /** Told of every step as it begins. */
  readonly onStep: (step: BackupStep) => void;
  /** How long until the agent is asked again. */
  readonly pollMs: () => number;
}

/** An agent in a process of its own, asked over HTTPS. */
export interface AgentWorker extends AsyncDisposable {
  readonly pid: number;
  readonly client: AgentClient;
  /** Has the attempt made. @returns the job when it has ended; undefined when the agent has, before it told */
  attempt(order: AttemptOrder, watcher: Watcher): Promise<JobOf<'backup'> | undefined>;
  /** It has ended when this resolves. */
  kill(): Promise<void>;
  isDead(): boolean;
}

export interface AgentWorkerOptions {
  /** The agent's own file. */
  readonly config: string;
  readonly tokenFile: string;
  /** Of each call of the store, milliseconds. */
  readonly delayMs: number;
  readonly temporaryDirectory: string;
}

const readySchema = z.object({ url: z.string(), fingerprint: z.string() });
const lastBreathMs = 5_000;

/** Starts one, or starts it again after a kill. */
export async function startAgentWorker(options: AgentWorkerOptions): Promise<AgentWorker> {
  const { config, tokenFile, delayMs, temporaryDirectory } = options;
  const { program, env } = programOf('slow-agent');
  const child = spawn(process.execPath, [program, config, String(delayMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...env, TMPDIR: temporaryDirectory },
  });
  const died = once(child, 'exit');
  const isDead = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const gone = died.then(() => Promise.reject(new Error('an agent ended before it was ready')));
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), gone]);
  gone.catch(() => undefined);
  const { url, fingerprint } = readySchema.parse(JSON.parse(String(line)));
  const token = (await readFile(tokenFile, 'utf8')).trim();
  const client = new AgentClient({ url, token, trust: { fingerprint } });
  return {
    pid: child.pid ?? -1,
    client,
    isDead,
    attempt: async (order, watcher) => {
      try {
        return await follow(client, order, watcher);
      } catch (error) {
        // What was asked last fails a moment before the end of the process is known.
        await Promise.race([died, sleep(lastBreathMs, undefined, { ref: false })]);
        if (!isDead()) throw error;
        return undefined;
      }
    },
    kill: async () => {
      child.kill('SIGKILL');
      await died;
    },
    [Symbol.asyncDispose]: async () => {
      client[Symbol.dispose]();
      child.kill('SIGKILL');
      await died;
    },
  };
}

async function follow(
  client: AgentClient,
  { backup, attempt }: AttemptOrder,
  { onStep, pollMs }: Watcher,
): Promise<JobOf<'backup'>> {
  // Nobody waits for commits here; a disk that others use, too, must not end an attempt that nobody disturbs.
  const body = { attempt, name: 'killed', service: 'db', location: 'main', lockedStallSeconds: 120 };
  let job = await client.start('backup', backup, { body, signal });
  let now: BackupStep | undefined;
  for (;;) {
    const step = stepOf(job);
    // Once the lock is gone there is nothing left to copy.
    if (step !== now && !(now === 'locked' && step === 'copying')) {
      now = step;
      onStep(step);
    }
    if (isEnded(job.state)) return job;
    await sleep(pollMs());
    job = await client.get('backup', backup, { signal });
  }
}

function stepOf({ state, step, isLocked }: JobOf<'backup'>): BackupStep {
  if (state === 'Starting') return 'preflight';
  if (isLocked) return 'locked';
  const found = backupSteps.find((each) => each === step);
  if (found === undefined) throw new Error(`an agent tells of a step that is not known: ${step}`);
  return found;
}

/** The backup tool that this process runs right now, if it does. */
export async function toolOf(pid: number): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  for (const child of children.split(' ').filter((each) => each !== '')) {
    const command = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('--stream=xbstream')) return Number(child);
  }
  return undefined;
}
