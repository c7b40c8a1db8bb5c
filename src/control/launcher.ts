import type { AgentClient } from '../api/client.ts';

/** What is asked of one agent; what each call throws is said there. */
export type AgentCalls = Pick<AgentClient, 'start' | 'get' | 'cancel' | 'list' | 'log' | 'preflight' | 'server'>;

/**
 * The way to the agents. In a fleet it calls the agent that a person enrolled, over the connection that there is; in
 * Kubernetes the sidecar of a Pod.
 */
export interface Launcher {
  /**
   * @param agent its name
   * Its calls throw Failure `agent-unreachable` while nothing connects to it: the call is made again later. An agent that
   * was never enrolled, or was removed, is InvalidRequest `no-such-agent`.
   */
  agent(agent: string): AgentCalls;
}
