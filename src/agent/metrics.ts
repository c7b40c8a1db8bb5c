import { Counter, Gauge, Registry } from 'prom-client';
import { type Job, jobKinds } from '../api/jobs.ts';
import { msOf } from '../lib/clock.ts';

export interface MetricsOptions {
  readonly version: string;
  /** Jobs that are known now, for what was before the agent began. */
  readonly jobs: () => readonly Job[];
  /** Does the server answer? Undefined where there is none. */
  readonly isDatabaseUp: () => Promise<boolean | undefined>;
}

/** What Prometheus reads. Labels are kinds and states only, so there are few series. */
export class Metrics {
  readonly #options: MetricsOptions;
  readonly #registry = new Registry();
  readonly #ended = this.#counter('jobs_ended_total', 'Jobs that ended since the agent began', ['kind', 'state']);
  readonly #bytes = this.#counter('job_read_bytes_total', 'Bytes read by jobs that ended since the agent began', [
    'kind',
  ]);
  readonly #locked = this.#counter('server_locked_seconds_total', 'Seconds that tools held a lock on the server', []);
  readonly #refused = this.#counter('authentication_failures_total', 'Requests without a valid token', []);
  readonly #active = this.#gauge('jobs_active', 'Jobs under way', ['kind']);
  readonly #lastAt = this.#gauge('last_success_timestamp_seconds', 'When the newest success ended', ['kind']);
  readonly #lastDuration = this.#gauge('last_success_duration_seconds', 'How long the newest success took', ['kind']);
  readonly #lastRead = this.#gauge('last_success_read_bytes', 'Bytes that the newest success read', ['kind']);
  readonly #lastStored = this.#gauge('last_success_stored_bytes', 'Bytes that the newest backup added to its store', [
    'kind',
  ]);
  readonly #up = this.#gauge('database_up', 'Does the database server answer? No sample where the agent has none', [
    'role',
  ]);
  #lockedSince: number | undefined;

  constructor(options: MetricsOptions) {
    this.#options = options;
    this.#gauge('build_info', 'Version of the agent', ['version']).set({ version: options.version }, 1);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  onEnded(job: Job): void {
    this.#ended.inc({ kind: job.kind, state: job.state });
    this.#bytes.inc({ kind: job.kind }, job.bytes.read);
  }

  onRefused(): void {
    this.#refused.inc();
  }

  /** Told each time a job says whether the server is locked; `now` in monotonic milliseconds. */
  onLock(isLocked: boolean, now: number): void {
    if (this.#lockedSince !== undefined) this.#locked.inc(Math.max(0, now - this.#lockedSince) / 1_000);
    this.#lockedSince = isLocked ? now : undefined;
  }

  /** In the text format of Prometheus. */
  async text(): Promise<string> {
    const jobs = this.#options.jobs();
    for (const kind of jobKinds) {
      const running = jobs.filter((job) => job.kind === kind && job.endedAt === undefined);
      this.#active.set({ kind }, running.length);
      this.#setLast(newestSuccess(jobs, kind));
    }
    const isUp = await this.#options.isDatabaseUp();
    if (isUp !== undefined) this.#up.set({ role: 'protected' }, isUp ? 1 : 0);
    return this.#registry.metrics();
  }

  #setLast(job: Job | undefined): void {
    if (job?.endedAt === undefined) return;
    const { kind, startedAt, endedAt } = job;
    this.#lastAt.set({ kind }, msOf(endedAt) / 1_000);
    this.#lastDuration.set({ kind }, (msOf(endedAt) - msOf(startedAt)) / 1_000);
    this.#lastRead.set({ kind }, job.bytes.read);
    if (job.kind === 'backup' && job.result !== undefined) this.#lastStored.set({ kind }, job.result.storedBytes);
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `holdfast_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, labelNames: string[]): Gauge {
    return new Gauge({ name: `holdfast_${name}`, help, labelNames, registers: [this.#registry] });
  }
}

function newestSuccess(jobs: readonly Job[], kind: Job['kind']): Job | undefined {
  const done = jobs.filter((job) => job.kind === kind && job.state === 'Succeeded');
  return done.toSorted((left, right) => (right.endedAt ?? '').localeCompare(left.endedAt ?? ''))[0];
}
