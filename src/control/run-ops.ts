import type { Job } from '../api/jobs.ts';
import type { Retry } from '../api/resource-fields.ts';
import type { Resource, RunKind, StatusOf } from '../api/resources.ts';
import type { Need } from './admission.ts';

export type StatusPatch = Partial<StatusOf<'Backup'>> | Partial<StatusOf<'Restore'>> | Partial<StatusOf<'Drill'>>;

export interface RunPlan {
  readonly agent: string;
  /** What no other run may use meanwhile. */
  readonly needs: readonly Need[];
  /** What becomes part of the status when the attempt begins. */
  readonly patch: StatusPatch;
}

/** What is different between backups, restores and drills. */
export interface RunOps<Kind extends RunKind> {
  readonly kind: Kind;
  /** Does somebody want the end of it? */
  isEndWanted(run: Resource<Kind>): boolean;
  /** Did a person ask for an attempt that has not begun? */
  isRetryAsked(run: Resource<Kind>): boolean;
  retry(run: Resource<Kind>): { readonly policy: Retry | undefined; readonly taken: number };
  /** Of the attempt that begins. @throws InvalidRequest when what it names is not there */
  plan(run: Resource<Kind>): Promise<RunPlan>;
  /** The agent of the attempt under way. */
  agentOf(run: Resource<Kind>): string;
  /** What the attempt under way uses. */
  needs(run: Resource<Kind>): Promise<readonly Need[]>;

  /** Asks the agent to begin the attempt; again is harmless. */
  start(run: Resource<Kind>, signal: AbortSignal): Promise<Job>;
  get(run: Resource<Kind>, signal: AbortSignal): Promise<Job>;
  cancel(run: Resource<Kind>, signal: AbortSignal): Promise<Job>;

  /**
   * Looks for itself whether what the agent calls good is good, and makes known what follows from it; again is harmless.
   * @returns what the status shows of it
   * @throws NotGood when it is not; anything else means that it cannot be told yet
   */
  confirm(run: Resource<Kind>, job: Job, signal: AbortSignal): Promise<StatusPatch>;
  /** Is it good although nobody says so? @returns what the status shows of it, or undefined when it is not */
  rescue(run: Resource<Kind>, signal: AbortSignal): Promise<StatusPatch | undefined>;
  /** Makes sure that it never becomes good. @returns as `rescue` when it was already */
  giveUp(run: Resource<Kind>, signal: AbortSignal): Promise<StatusPatch | undefined>;
}
