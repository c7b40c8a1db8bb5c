import * as z from 'zod';
import { ManagerClient } from '../../api/manager-client.ts';
import { InvalidRequest } from '../../lib/failure.ts';
import { connectionSchema, tokenOf, trustOf } from '../connect.ts';
import type { Context, Handler, Invocation } from '../context.ts';

const optionsSchema = connectionSchema.extend({ manager: z.string().default('') });

/** What a command on a manager gets besides. */
export interface OnManager {
  readonly invocation: Invocation;
  readonly context: Context;
  readonly client: ManagerClient;
  readonly signal: AbortSignal;
  /** The first operand. */
  readonly name: string;
}

/** The manager that is named. @throws InvalidRequest, PermanentFailure where it is not said which, or with what token */
export async function openManager({ context, options: raw }: Invocation): Promise<ManagerClient> {
  const options = optionsSchema.parse(raw);
  if (options.manager === '') {
    throw new InvalidRequest('manager-needed', 'Cannot do this as no manager is named', {
      nextStep: 'Give its address with --manager or HOLDFAST_URL, such as https://holdfast.example.net:7440.',
    });
  }
  const token = await tokenOf(context, options, 'manager');
  return new ManagerClient({ url: options.manager, token, trust: await trustOf(options) });
}

/** A command that needs a manager. */
export function onManager(work: (on: OnManager) => Promise<void>): Handler {
  return async (invocation) => {
    using client = await openManager(invocation);
    const { context, args } = invocation;
    await work({ invocation, context, client, signal: context.signal, name: args[0] ?? '' });
  };
}
