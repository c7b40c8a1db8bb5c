import * as z from 'zod';
import { msOf } from '../../lib/clock.ts';
import { formatAge } from '../format.ts';
import { onManager } from './open.ts';
import { confirmRemoval, said, sayFacts, sayTable } from './say.ts';

export const listAgents = onManager(async ({ context, client, signal }) => {
  const { items } = await client.call('listAgents', { query: { pageSize: 500 }, signal });
  for (const each of items) context.output.json({ type: 'agent', ...each });
  const columns = ['NAME', 'STATE', 'HOST', 'VERSION', 'CONNECTION', 'LAST SEEN'].map((title) => ({ title }));
  const rows = items.map(({ name, spec, status }) => [
    name,
    status.state,
    status.hostname ?? '',
    status.version ?? '',
    spec.connection.type === 'listens' ? spec.connection.url : 'dials out',
    status.lastSeenAt === undefined ? '' : formatAge(context.clock.now() - msOf(status.lastSeenAt)),
  ]);
  sayTable(context.output, { columns, rows, none: 'No agent is there yet: `holdfast agent token`.' });
});

export const showAgent = onManager(async ({ context, client, name, signal }) => {
  const agent = await client.call('getAgent', { params: { name }, signal });
  const { spec, status } = agent;
  sayFacts(context.output, agent, [
    ['Name', name],
    ['State', status.state],
    ['Host', status.hostname],
    ['Version', status.version],
    ['Connection', spec.connection.type === 'listens' ? spec.connection.url : 'dials out'],
    ['May restore to', status.restoreDirectories.join(', ')],
    ['In place', status.mayRestoreInPlace ? 'yes' : 'no'],
    ['May use', [...status.locations, ...status.managedLocations].join(', ')],
    ['Failure', status.failure?.message],
  ]);
});

export const joinToken = onManager(async ({ invocation, context, client, signal }) => {
  const wish = z.object({ validSeconds: z.number(), replaces: z.string().optional() }).parse(invocation.options);
  const made = await client.call('createJoinToken', { body: wish, signal });
  context.output.json({ type: 'result', ...made });
  context.output.text(made.token);
  context.output.stderr(`On the host of the agent, before ${made.expiresAt}:`, `  ${made.command}`);
});

export const removeAgent = onManager(async (on) => {
  await confirmRemoval(on, `Agent ${on.name} will be forgotten; it can join again with a new token.`);
  await on.client.call('removeAgent', { params: { name: on.name }, signal: on.signal });
  said(on.context.output, { name: on.name }, `Agent ${on.name} is removed.`);
});
