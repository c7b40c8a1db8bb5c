import { InvalidRequest } from '../lib/failure.ts';
import type { Invocation } from './context.ts';

/** How to reach the database server. */
export const serverOptionNames = ['socket', 'host', 'port', 'user', 'passwordFile', 'defaultsFile'];
const managerOptionNames = [
  'retryInterval',
  'description',
  'detach',
  'onto',
  'on',
  'identity',
  'replication',
  'plan',
] as const;

/** What an agent or a manager knows by itself. @param names of options, as commander spells them */
export function refuseLocalOptions(
  invocation: Invocation,
  names: readonly string[],
  where: 'an agent' | 'a manager',
): void {
  const flag = typedFlag(invocation, names);
  if (flag === undefined) return;
  throw new InvalidRequest('option-not-here', `Cannot use ${flag} on ${where} as the agent's own file says that`, {
    nextStep: `Leave out ${flag}, or --manager, --agent and HOLDFAST_URL to do it in this process.`,
  });
}

/** What only a manager heeds. */
export function refuseManagerOptions(invocation: Invocation): void {
  const flag = typedFlag(invocation, managerOptionNames);
  if (flag === undefined) return;
  throw new InvalidRequest('option-not-here', `Cannot use ${flag} here as only a manager can heed it`, {
    nextStep: `Leave out ${flag}, or name a manager with --manager.`,
  });
}

function typedFlag({ isTyped }: Invocation, names: readonly string[]): string | undefined {
  const name = names.find((each) => isTyped(each));
  return name === undefined ? undefined : `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
