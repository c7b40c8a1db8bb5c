import type { ManagerClientOptions } from '../api/manager-client.ts';
import { InvalidRequest } from '../lib/failure.ts';
import { connectionSchema, tokenOf, trustOf } from './connect.ts';
import type { Context, Invocation } from './context.ts';
import { describeLocation } from './store.ts';

type Where = 'process' | 'agent' | 'manager';

/** Where a job is to run. The variable HOLDFAST_URL may name a manager or an agent, so what is there is asked. */
export async function whereOf({ context, options, isTyped }: Invocation): Promise<Where> {
  const [manager, agent] = [textOf(options['manager']), textOf(options['agent'])];
  if (isTyped('manager') && isTyped('agent')) {
    throw new InvalidRequest('where-unclear', 'Cannot tell where to do it as both --manager and --agent are given', {
      nextStep: 'Give one of them.',
    });
  }
  if (isTyped('manager')) return manager === '' ? 'process' : 'manager';
  if (isTyped('agent')) return agent === '' ? 'process' : 'agent';
  if (manager === '') return 'process';
  const { isManager } = await import('../api/manager-client.ts');
  const connection = connectionSchema.parse(options);
  // An agent counts whoever comes without a token among those who guess.
  const token = await tokenOf(context, connection, 'agent');
  const asked: ManagerClientOptions = { url: manager, trust: await trustOf(connection), token };
  return (await isManager(asked, context)) ? 'manager' : 'agent';
}

function textOf(option: unknown): string {
  return typeof option === 'string' ? option : '';
}

/** The first line of what a job says: where it runs. */
export function sayWhere(
  context: Context,
  elsewhere?: { readonly where: 'agent' | 'manager'; readonly url: URL },
): void {
  const { output } = context;
  if (elsewhere) {
    const { where, url } = elsewhere;
    output.json({ type: 'start', where, [where]: url.origin });
    output.remark(`Running on the ${where} at ${url.origin}.`);
    return;
  }
  const repository = describeLocation(context);
  output.json({ type: 'start', where: 'process', repository });
  output.remark(`Running in this process, with the repository ${repository}.`);
}
