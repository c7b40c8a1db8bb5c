import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from '../../src/agent/main.ts';
import { AgentClient } from '../../src/api/client.ts';
import type { Job } from '../../src/api/jobs.ts';
import type { Resource, RunKind } from '../../src/api/resources.ts';
import type { Sealed } from '../../src/repository/documents.ts';
import { type ListedBackup, listBackups } from '../../src/repository/list.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { openRepository } from '../../src/repository/repository.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type AgentHome, clientOf, makeAgentHome, startTestAgent } from './agents.ts';
import { ControlLab, labPassphrase, managedPlace } from './control-lab.ts';
import { Died, type KillPoint, type ManagerWorker, startManagerWorker, type Wish } from './manager-worker.ts';
import { type MariadbServer, startMariadb } from './servers.ts';

const signal = new AbortController().signal;
/** Longer than anything takes here, shorter than what waits for a person. */
const STUCK_MS = 90_000;

/** What is to come to its end, however often the manager is killed meanwhile. */
export interface Scenario<Kind extends RunKind> {
  readonly kind: Kind;
  readonly name: string;
  /** Asked for until it is seen that it was heard. */
  readonly wish: Wish;
  readonly isHeard: (run: Resource<Kind> | undefined) => boolean;
  /** Asked for once this is so. */
  readonly next?: { readonly when: (run: Resource<Kind>) => boolean; readonly wish: Wish };
  readonly isDone: (run: Resource<Kind> | undefined) => boolean;
  readonly aheadMs?: number;
}

interface Parts {
  readonly server: MariadbServer;
  readonly home: AgentHome;
  readonly agent: Agent;
  readonly client: AgentClient;
  readonly token: string;
}

/** A server, an agent beside it, and a manager in a process that is killed at chosen effects. */
export class ManagerKillLab implements AsyncDisposable {
  kills = 0;
  /** Where the manager was killed how often. */
  readonly killedAt = new Map<string, number>();
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  static async start(): Promise<ManagerKillLab> {
    const server = await startMariadb({ options: ['--log-bin=bin', '--server-id=5', '--innodb-buffer-pool-size=32M'] });
    await server.query(
      'CREATE DATABASE app; USE app; CREATE TABLE t (id INT PRIMARY KEY, t TEXT) SELECT seq AS id, MD5(seq) AS t FROM seq_1_to_2000',
    );
    const home = await makeAgentHome({ server, config: { managedLocations: ['*'] } });
    const agent = await startTestAgent(home);
    const client = await clientOf(home, agent);
    const token = (await readFile(join(home.state, 'token'), 'utf8')).trim();
    await (await ControlLab.start({ home, agent }))[Symbol.asyncDispose]();
    return new ManagerKillLab({ server, home, agent, client, token });
  }

  get parts(): Parts {
    return this.#parts;
  }

  get store(): string {
    return join(managedPlace(this.#parts.home), 'shop');
  }

  directory(name: string): string {
    return join(this.#parts.home.restores, name);
  }

  /**
   * Carries a scenario through to its end. The manager is killed at the points, each of which comes after the one before.
   * @returns what became of it, and the points that were passed, in order
   */
  async carryThrough<Kind extends RunKind>(
    scenario: Scenario<Kind>,
    kills: readonly KillPoint[],
  ): Promise<{ readonly run: Resource<Kind> | undefined; readonly points: readonly string[] }> {
    let left = [...kills];
    const points: string[] = [];
    for (;;) {
      const deadline = performance.now() + STUCK_MS;
      try {
        await using worker = await this.#worker(scenario.aheadMs ?? 0, left, (point) => points.push(point));
        return { run: await this.#follow(worker, scenario, deadline), points };
      } catch (error) {
        if (!(error instanceof Died) || error.point === undefined) throw error;
        const { point } = error;
        this.kills += 1;
        this.killedAt.set(point, (this.killedAt.get(point) ?? 0) + 1);
        // What comes before it in the order of points is not waited for any more.
        left = left.slice(left.findIndex((each) => each.point === point) + 1);
      }
    }
  }

  async #worker(aheadMs: number, kills: readonly KillPoint[], onPoint: (point: string) => void) {
    const { home, agent, token } = this.#parts;
    const { url, fingerprint } = agent;
    const file = join(home.directory, 'manager', 'manager.db');
    return startManagerWorker({ file, url, fingerprint, token, aheadMs, kills }, onPoint);
  }

  async #follow<Kind extends RunKind>(
    worker: ManagerWorker,
    { kind, name, wish, isHeard, next, isDone }: Scenario<Kind>,
    deadline: number,
  ): Promise<Resource<Kind> | undefined> {
    if (!isHeard(await worker.show(kind, name))) await worker.ask(wish);
    for (let isNextAsked = false; ;) {
      const run = await worker.show(kind, name);
      if (isDone(run)) return run;
      if (run !== undefined && next !== undefined && !isNextAsked && next.when(run)) {
        isNextAsked = true;
        // It may have ended in this moment.
        await worker.ask(next.wish).catch((error: unknown) => {
          if (!(error instanceof Error) || error.message !== 'already-ended') throw error;
        });
      }
      if (performance.now() > deadline)
        throw new Error(`${kind} ${name} is stuck: ${JSON.stringify({ run, troubles: worker.troubles }, null, 1)}`);
      await sleep(10);
    }
  }

  /** The jobs of the agent that were made for this run. */
  async jobsOf(id: string): Promise<Job[]> {
    const jobs = await this.#parts.client.list({ signal });
    return jobs.filter((job) => job.id === id);
  }

  async repository(): Promise<Repository> {
    const unlock = { kind: 'passphrase', passphrase: labPassphrase } as const;
    return openRepository(new DirectoryStorage(this.store), { clock: systemClock, signal, unlock });
  }

  async listed(): Promise<readonly ListedBackup[]> {
    return listBackups(await this.repository(), { signal, includeVoid: true });
  }

  /** Sealed and not deleted, of this name. */
  async sealed(name: string): Promise<Sealed[]> {
    const all = await this.listed();
    return all.flatMap((each) => (each.state === 'sealed' && each.sealed.name === name ? [each.sealed] : []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { server, home, agent, client } = this.#parts;
    client[Symbol.dispose]();
    await agent[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await home[Symbol.asyncDispose]();
  }
}
