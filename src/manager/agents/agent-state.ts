import type { StatusOf } from '../../api/resources.ts';
import { Failure, PermanentFailure } from '../../lib/failure.ts';

/** What is known of an agent; times are monotonic milliseconds. */
export interface AgentFacts {
  readonly name: string;
  readonly hostname: string | undefined;
  /** Undefined: never since the manager began. */
  readonly heardAt: number | undefined;
  /** From when on it can be missed: when the manager began, or it joined. */
  readonly expectedFrom: number;
  /** Was it heard of before that? One that never was is not lost yet. */
  readonly wasHeardBefore: boolean;
  /** Of the last call to it: who answered was not the one that joined, or did not take the manager's token. */
  readonly refusal: Failure | undefined;
  /** The last call did not get through, or it dials out and has no connection open. */
  readonly unreachable: Failure | undefined;
  /** Its version is too far from the manager's. */
  readonly unfit: Failure | undefined;
}

export interface AgentCondition {
  readonly state: StatusOf<'Agent'>['state'];
  readonly failure: Failure | undefined;
}

/** Heartbeats come every 40 seconds, and 10 seconds after one that failed: two may be missed. */
export const lostAfterMs = 90_000;

/** Pure. */
export function conditionOf(facts: AgentFacts, now: number): AgentCondition {
  if (facts.refusal !== undefined) return { state: 'NotTrusted', failure: facts.refusal };
  if (facts.unfit !== undefined) return { state: 'Lost', failure: facts.unfit };
  const isSilent = now - (facts.heardAt ?? facts.expectedFrom) > lostAfterMs;
  if (isSilent && (facts.heardAt !== undefined || facts.wasHeardBefore))
    return { state: 'Lost', failure: silent(facts) };
  if (facts.heardAt === undefined) return { state: 'Unknown', failure: undefined };
  if (facts.unreachable !== undefined) return { state: 'Lost', failure: facts.unreachable };
  return { state: 'Connected', failure: undefined };
}

function silent({ name, hostname }: AgentFacts): Failure {
  return new Failure(
    'agent-lost',
    `Cannot hear agent ${name} as no heartbeat came for ${lostAfterMs / 1000} s: ${hostname ?? 'its host'} may be down, or cut off`,
    {
      nextStep: `On ${hostname ?? 'its host'}, see whether the agent runs (systemctl status 'holdfast-agent*') and reaches the manager.`,
    },
  );
}

/** The failure of a call to an agent as it counts for the agent's state. Anything else came from the agent itself. */
export function judgeCall(name: string, error: unknown): Pick<AgentFacts, 'refusal' | 'unreachable'> {
  const none = { refusal: undefined, unreachable: undefined };
  if (!(error instanceof Failure)) return none;
  if (error.code === 'agent-unreachable') return { ...none, unreachable: error };
  if (error.code === 'agent-not-trusted') return { ...none, refusal: replaced(name, error) };
  // The right token always passes, also after many wrong ones.
  const isRefused = error.code === 'not-authorised' || error.code === 'too-many-failures';
  return isRefused ? { ...none, refusal: refused(name, error) } : none;
}

function replaced(name: string, cause: Failure): PermanentFailure {
  return new PermanentFailure(
    'agent-not-trusted',
    `Cannot trust what answers as agent ${name} as its certificate is not the one that joined: it was set up anew, or someone is between`,
    {
      cause,
      nextStep: `If it was set up anew, make a join token for ${name} in the manager and run \`holdfast agent join\` on its host.`,
    },
  );
}

function refused(name: string, cause: Failure): PermanentFailure {
  return new PermanentFailure(
    'agent-not-trusted',
    `Cannot work with agent ${name} as it refuses the manager's token: it has another one since it joined`,
    { cause, nextStep: `Make a join token for ${name} in the manager and run \`holdfast agent join\` on its host.` },
  );
}

/** It dials out, and has no connection open. */
export function notDialled(name: string): Failure {
  return new Failure(
    'agent-unreachable',
    `Cannot reach agent ${name} as it dials out and has no connection to the manager open`,
    { nextStep: 'On its host, see in the log of the agent why it cannot connect to the manager.' },
  );
}
