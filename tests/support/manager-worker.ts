import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Resource, RunKind } from '../../src/api/resources.ts';
import { programOf } from './programs.ts';

/** An instant at which the process ends itself with SIGKILL: right at, or a little after, one of its effects. */
export interface KillPoint {
  /** E.g. `after start backup` or `before write Backup Succeeded`. */
  readonly point: string;
  /** The how manieth time, from 1. */
  readonly occurrence: number;
  readonly delayMs: number;
}

export interface ChildStart {
  readonly file: string;
  readonly url: string;
  readonly fingerprint: string;
  readonly token: string;
  /** The clock of the process goes before, and everything seems to have been in the stores for longer. */
  readonly aheadMs: number;
  /** It dies at the first of these that it passes. */
  readonly kills: readonly KillPoint[];
}

export type Wish =
  | { readonly do: 'show'; readonly kind: RunKind; readonly name: string }
  | { readonly do: 'back-up' | 'cancel' | 'pin' | 'unpin' | 'delete'; readonly name: string }
  | { readonly do: 'restore'; readonly name: string; readonly backup: string; readonly directory: string }
  | { readonly do: 'drill'; readonly name: string; readonly backup: string };
export type ChildOrder = Wish & { readonly id: number };

export type ChildReply =
  | { readonly ready: true }
  | { readonly point: string }
  /** Said with its last breath. */
  | { readonly killedAt: string }
  | { readonly trouble: string }
  | { readonly order: number; readonly result?: unknown; readonly error?: string };

/** The process is gone. */
export class Died extends Error {
  override name = 'Died';
  /** Where it killed itself, if it did. */
  readonly point: string | undefined;

  constructor(point: string | undefined) {
    super(`the manager was killed ${point ?? 'by somebody else'}`);
    this.point = point;
  }
}

/** A manager's catalog and control loops in a process of their own. */
export interface ManagerWorker extends AsyncDisposable {
  /** @throws Died; Error with the code of the failure */
  ask(wish: Wish): Promise<unknown>;
  show<Kind extends RunKind>(kind: Kind, name: string): Promise<Resource<Kind> | undefined>;
  readonly troubles: readonly string[];
}

/** Resolves when it works. @throws Died when it killed itself before. @param onPoint hears of each of its effects */
export async function startManagerWorker(start: ChildStart, onPoint: (point: string) => void): Promise<ManagerWorker> {
  const { program, env } = programOf('manager-child');
  const child = spawn(process.execPath, [program, JSON.stringify(start)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env,
  });
  child.stdin.on('error', () => undefined);
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  const troubles: string[] = [];
  let killedAt: string | undefined;
  const ready = Promise.withResolvers<void>();
  const onReply = (reply: ChildReply): void => {
    if ('ready' in reply) return ready.resolve();
    if ('point' in reply) return onPoint(reply.point);
    if ('killedAt' in reply) return void (killedAt = reply.killedAt);
    if ('trouble' in reply) return void troubles.push(reply.trouble);
    const waiter = waiting.get(reply.order);
    waiting.delete(reply.order);
    if (reply.error === undefined) waiter?.resolve(reply.result);
    else waiter?.reject(new Error(reply.error));
  };
  const lines = createInterface({ input: child.stdout }).on('line', (line) => onReply(JSON.parse(line)));
  // Not `exit`: what it said last is still on its way then.
  const died = once(lines, 'close').then(() => {
    const error = new Died(killedAt);
    ready.reject(error);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  });
  let orders = 0;
  let isDead = false;
  void died.then(() => (isDead = true));
  const ask = async (wish: Wish): Promise<unknown> => {
    if (isDead) throw new Died(killedAt);
    const id = ++orders;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    waiting.set(id, { resolve, reject });
    child.stdin.write(`${JSON.stringify({ ...wish, id })}\n`);
    return promise;
  };
  await ready.promise;
  return {
    ask,
    // What the process answers is a resource of the kind that was asked for.
    show: async <Kind extends RunKind>(kind: Kind, name: string) =>
      ((await ask({ do: 'show', kind, name })) ?? undefined) as Resource<Kind> | undefined,
    troubles,
    [Symbol.asyncDispose]: async () => {
      const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
      child.kill('SIGKILL');
      await gone;
      await died;
    },
  };
}
