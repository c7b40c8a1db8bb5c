import * as z from 'zod';
import { ManagerClient } from '../../api/manager-client.ts';
import { roleSchema } from '../../api/route-kit.ts';
import { InvalidRequest } from '../../lib/failure.ts';
import { connectionSchema, trustOf } from '../connect.ts';
import type { Invocation } from '../context.ts';
import { formatTime } from '../format.ts';
import { readPassphrase } from '../unlock.ts';
import { onManager, openManager } from './open.ts';
import { confirmRemoval, said, sayTable } from './say.ts';

const createSchema = connectionSchema.extend({
  manager: z.string().default(''),
  role: roleSchema,
  user: z.string().optional(),
  passwordFile: z.string().optional(),
});

/** With a token of an admin, or with an admin's name and password where there is no token yet. */
export async function createToken(invocation: Invocation): Promise<void> {
  const { context, args, options: raw } = invocation;
  const { role, ...options } = createSchema.parse(raw);
  const { signal, output } = context;
  using client = options.user === undefined ? await openManager(invocation) : await signIn(invocation, options);
  const body = { name: args[0] ?? '', role };
  const { token } = await client.call('createToken', { body, signal });
  output.json({ type: 'result', name: body.name, role, token });
  output.text(token);
  output.stderr('Keep it: it is not shown again.');
}

async function signIn(
  { context }: Invocation,
  { manager: url, user: name = '', passwordFile, ...options }: Omit<z.infer<typeof createSchema>, 'role'>,
): Promise<ManagerClient> {
  if (passwordFile === undefined) {
    throw new InvalidRequest('password-needed', `Cannot sign in as ${name} as the password is not given`, {
      nextStep: 'Give a file that holds it with --password-file.',
    });
  }
  const client = new ManagerClient({ url, trust: await trustOf(options) });
  try {
    await client.signIn({ name, password: await readPassphrase(passwordFile, context.output), signal: context.signal });
    return client;
  } catch (error) {
    client[Symbol.dispose]();
    throw error;
  }
}

export const listTokens = onManager(async ({ context, client, signal }) => {
  const { items } = await client.call('listTokens', { signal });
  for (const each of items) context.output.json({ type: 'token', ...each });
  const columns = ['NAME', 'ROLE', 'CREATED', 'LAST USED'].map((title) => ({ title }));
  const rows = items.map(({ name, role, createdAt, lastUsedAt }) => [
    name,
    role,
    formatTime(createdAt),
    lastUsedAt === undefined ? 'never' : formatTime(lastUsedAt),
  ]);
  sayTable(context.output, { columns, rows, none: 'No token is there yet: `holdfast token create`.' });
});

export const removeToken = onManager(async (on) => {
  await confirmRemoval(on, `Whoever uses token ${on.name} will be refused from now on.`);
  await on.client.call('removeToken', { params: { name: on.name }, signal: on.signal });
  said(on.context.output, { name: on.name }, `Token ${on.name} is revoked.`);
});
