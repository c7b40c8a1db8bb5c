import { InvalidRequest } from '../lib/failure.ts';
import type { Invocation } from './context.ts';

/** Where the repository is, and what opens it. */
export const repositoryOptionNames = ['repository', 'passphraseFile', 'keyFile'];
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
const elsewhereOptionNames = ['location', 'folder'];

/** What an agent or a manager knows by itself. @param names of options, as commander spells them */
export function refuseLocalOptions(
  invocation: Invocation,
  names: readonly string[],
  where: 'an agent' | 'a manager',
): void {
  const flag = typedFlag(invocation, names);
  if (flag === undefined) return;
  const known = where === 'an agent' ? "the agent's own file says that" : 'the manager and its agents know that';
  throw new InvalidRequest('option-not-here', `Cannot use ${flag} on ${where} as ${known}`, {
    nextStep: `Leave out ${flag}, or --manager, --agent and HOLDFAST_URL to do it in this process.`,
  });
}

/** What is said of a manager or an agent. */
export function refuseElsewhereOptions(invocation: Invocation): void {
  const flag = typedFlag(invocation, elsewhereOptionNames);
  if (flag === undefined) return;
  throw new InvalidRequest('option-not-here', `Cannot use ${flag} in this process as --repository says where`, {
    nextStep: `Leave out ${flag}, or name a manager with --manager or an agent with --agent.`,
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
