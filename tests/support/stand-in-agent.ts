import type { JobInput } from '../../src/api/client.ts';
import type { Job, JobKind, JobOf, JobState } from '../../src/api/jobs.ts';
import { jobSchema } from '../../src/api/jobs.ts';
import type { AgentCalls } from '../../src/control/launcher.ts';
import { InvalidRequest } from '../../src/lib/failure.ts';

/** An agent that does nothing by itself: what it answers is set by the test. */
export class StandInAgent implements AgentCalls {
  readonly jobs = new Map<string, Job>();
  readonly asked: string[] = [];
  /** Thrown by every call, or by calls of that name. */
  trouble: Error | undefined;
  readonly troubles = new Map<string, Error>();

  async start<Kind extends JobKind>(
    kind: Kind,
    id: string,
    { body }: { readonly body: JobInput<Kind> },
  ): Promise<JobOf<Kind>> {
    this.#asked('start', id, body.attempt);
    const known = this.jobs.get(id);
    if (known?.attempt === body.attempt) return this.#of(kind, id);
    const { location, ...rest } = body;
    const shown = typeof location === 'string' ? location : { name: location.name, location: location.location };
    const job = jobSchema.parse({
      kind,
      id,
      request: { ...rest, location: shown },
      attempt: body.attempt,
      state: 'Running',
      step: 'copying',
      bytes: { read: 0 },
      isLocked: false,
      isCancelled: false,
      startedAt: '2026-11-21T01:00:00.000Z',
      updatedAt: '2026-11-21T01:00:00.000Z',
    });
    this.jobs.set(id, job);
    return this.#of(kind, id);
  }

  async get<Kind extends JobKind>(kind: Kind, id: string): Promise<JobOf<Kind>> {
    this.#asked('get', id);
    return this.#of(kind, id);
  }

  async cancel<Kind extends JobKind>(kind: Kind, id: string): Promise<JobOf<Kind>> {
    this.#asked('cancel', id);
    const { state } = this.#of(kind, id);
    if (state === 'Running') this.becomes(id, 'Cancelled');
    return this.#of(kind, id);
  }

  async list(): Promise<readonly Job[]> {
    this.#asked('list', '');
    return [...this.jobs.values()];
  }

  async *log(): AsyncGenerator<never, void, undefined> {
    yield* [];
  }

  async preflight() {
    this.#asked('preflight', '');
    return { isGo: true, findings: [] };
  }

  async server(): Promise<never> {
    throw new Error('not asked for in these tests');
  }

  becomes(id: string, state: JobState, more: object = {}): void {
    this.jobs.set(id, jobSchema.parse({ ...this.jobs.get(id), state, ...more }));
  }

  /** How often a call was made. */
  count(call: string): number {
    return this.asked.filter((each) => each.startsWith(`${call} `)).length;
  }

  #asked(call: string, id: string, attempt?: number): void {
    this.asked.push(`${call} ${id}${attempt === undefined ? '' : ` ${attempt}`}`);
    const trouble = this.trouble ?? this.troubles.get(call);
    if (trouble !== undefined) throw trouble;
  }

  #of<Kind extends JobKind>(kind: Kind, id: string): JobOf<Kind> {
    const job = this.jobs.get(id);
    if (job?.kind !== kind) throw new InvalidRequest('no-such-job', `Cannot find ${kind} ${id}`);
    // Its kind was compared just now.
    return job as JobOf<Kind>;
  }
}
