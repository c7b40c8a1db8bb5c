import * as z from 'zod';
import { formatBytes } from '../../api/figures.ts';
import { onManager } from './open.ts';
import { confirmRemoval, said, sayFacts, sayTable, sayTest } from './say.ts';

const serviceOptions = z.object({
  agent: z.string().exactOptional(),
  clusterLabel: z.string().exactOptional(),
  description: z.string().exactOptional(),
});

export const listServices = onManager(async ({ context, client, signal }) => {
  const { items } = await client.call('listServices', { query: { pageSize: 500 }, signal });
  for (const each of items) context.output.json({ type: 'service', ...each });
  const columns = ['NAME', 'STATE', 'SERVER', 'AGENT', 'SIZE', 'ENGINE'].map((title) => ({ title }));
  const rows = items.map(({ name, spec, status }) => [
    name,
    status.state,
    serverOf(status),
    spec.agent,
    status.dataBytes === undefined ? '' : formatBytes(status.dataBytes),
    status.engine ?? '',
  ]);
  sayTable(context.output, { columns, rows, none: 'No service is there yet: `holdfast service add`.' });
});

export const showService = onManager(async ({ context, client, name, signal }) => {
  const service = await client.call('getService', { params: { name }, signal });
  const { spec, status } = service;
  sayFacts(context.output, service, [
    ['Name', name],
    ['State', status.state],
    ['Server', serverOf(status)],
    ['Agent', spec.agent],
    ['Cluster label', spec.clusterLabel],
    ['Size', status.dataBytes === undefined ? undefined : formatBytes(status.dataBytes)],
    ['Engine', status.engine],
    ['Description', spec.description],
    ['Failure', status.failure?.message],
  ]);
});

export const addService = onManager(async ({ invocation, context, client, name, signal }) => {
  const { agent = name, ...more } = serviceOptions.parse(invocation.options);
  const service = await client.call('createService', { body: { name, agent, ...more }, signal });
  said(context.output, service, `Service ${name} is added.`);
});

export const editService = onManager(async ({ invocation, context, client, name, signal }) => {
  const body = serviceOptions.parse(invocation.options);
  said(
    context.output,
    await client.call('updateService', { params: { name }, body, signal }),
    `Service ${name} is changed.`,
  );
});

export const testService = onManager(async ({ context, client, name, signal }) => {
  sayTest(context.output, await client.call('testService', { params: { name }, signal }), `service ${name}`);
});

export const removeService = onManager(async (on) => {
  await confirmRemoval(on, `Service ${on.name} will no longer be protected; its backups stay.`);
  await on.client.call('removeService', { params: { name: on.name }, signal: on.signal });
  said(on.context.output, { name: on.name }, `Service ${on.name} is removed.`);
});

function serverOf({ vendor, version }: { vendor?: string | undefined; version?: string | undefined }): string {
  return [vendor, version].filter((each) => each !== undefined).join(' ');
}
