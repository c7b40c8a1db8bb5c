import type { Context, Invocation } from './context.ts';
import { describeLocation } from './store.ts';

/** Is an agent named, by option or environment? */
export function isOnAgent({ options }: Invocation): boolean {
  return typeof options['agent'] === 'string' && options['agent'] !== '';
}

/** The first line of what a job says: where it runs. */
export function sayWhere(context: Context, agent?: URL): void {
  const { output } = context;
  if (agent) {
    output.json({ type: 'start', where: 'agent', agent: agent.origin });
    output.remark(`Running on the agent at ${agent.origin}.`);
    return;
  }
  const repository = describeLocation(context);
  output.json({ type: 'start', where: 'process', repository });
  output.remark(`Running in this process, with the repository ${repository}.`);
}
