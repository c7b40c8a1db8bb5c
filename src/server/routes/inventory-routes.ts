import { change, find } from '../../control/find.ts';
import { inventoryRoutes } from '../../api/inventory-routes.ts';
import type { Resource } from '../../api/resources.ts';
import { Conflict } from '../../lib/failure.ts';
import type { Mount } from '../server.ts';
import { listPage, runsUnderWay, withLatest } from './listing.ts';
import { forget, type MountRoutes, refuseIfUsed, type RouteContext } from './route-context.ts';

/** Agents and services. */
export const mountInventoryRoutes: MountRoutes = (mount, context) => {
  mountAgents(mount, context);
  mountServices(mount, context);
};

function mountAgents(mount: Mount, context: RouteContext): void {
  const { catalog, secrets, makeJoinToken } = context;
  mount(inventoryRoutes.listAgents, async ({ query }) => listPage(context, 'Agent', query));
  mount(inventoryRoutes.getAgent, async ({ params }) => withLatest(context, await find(catalog, 'Agent', params.name)));
  mount(inventoryRoutes.createJoinToken, async ({ body }) => {
    if (body.replaces !== undefined) await find(catalog, 'Agent', body.replaces);
    return makeJoinToken(body);
  });
  mount(inventoryRoutes.updateAgent, async ({ params, body: { description } }) =>
    change(catalog, await find(catalog, 'Agent', params.name), ({ spec, status }) => ({
      spec: { ...spec, description },
      status,
    })),
  );
  mount(inventoryRoutes.removeAgent, async ({ params: { name } }) => {
    const agent = await find(catalog, 'Agent', name);
    const users = [...(await servicesOf(context, name)), ...(await runsOn(context, ({ agent: on }) => on === name))];
    refuseIfUsed(`agent ${name}`, users, 'Remove the services on it first, and let what runs on it end.');
    await forget(catalog, agent);
    await secrets.remove('Agent', name);
  });
}

function mountServices(mount: Mount, context: RouteContext): void {
  const { catalog, control } = context;
  mount(inventoryRoutes.listServices, async ({ query }) => listPage(context, 'Service', query));
  mount(inventoryRoutes.getService, async ({ params }) => find(catalog, 'Service', params.name));
  mount(inventoryRoutes.createService, async ({ body: { name, ...spec } }) => {
    await refuseAgent(context, { agent: spec.agent, service: name });
    return catalog.create('Service', name, { spec, status: { state: 'Unknown' } });
  });
  mount(inventoryRoutes.updateService, async ({ params: { name }, body }) => {
    const service = await find(catalog, 'Service', name);
    if (body.agent !== undefined) await refuseAgent(context, { agent: body.agent, service: name });
    return change(catalog, service, ({ spec, status }) => {
      const { clusterLabel = spec.clusterLabel, agent = spec.agent, description = spec.description } = body;
      const label = clusterLabel === null || clusterLabel === undefined ? {} : { clusterLabel };
      // Another agent is another server: what was known of the one before does not hold.
      return { spec: { agent, description, ...label }, status: agent === spec.agent ? status : { state: 'Unknown' } };
    });
  });
  mount(inventoryRoutes.testService, async ({ params, signal }) => {
    await find(catalog, 'Service', params.name);
    return control.testService(params.name, { signal });
  });
  mount(inventoryRoutes.removeService, async ({ params: { name } }) => {
    const service = await find(catalog, 'Service', name);
    const users = await runsOn(context, (run) => run.service === name);
    refuseIfUsed(`service ${name}`, users, 'Wait until what runs on it has ended, or cancel it.');
    await forget(catalog, service);
  });
}

/** @throws InvalidRequest `no-such-agent`; Conflict `agent-taken` where it stands beside the server of another service */
async function refuseAgent(
  context: RouteContext,
  { agent, service }: { readonly agent: string; readonly service: string },
): Promise<void> {
  await find(context.catalog, 'Agent', agent);
  const [other] = (await servicesOf(context, agent)).filter((name) => name !== service);
  if (other === undefined) return;
  throw new Conflict('agent-taken', `Cannot use the agent ${agent} as it stands beside the server of ${other}`, {
    nextStep: 'Choose the agent that runs beside the server to be protected; a host may have several.',
  });
}

async function servicesOf({ catalog }: RouteContext, agent: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, spec } of catalog.list('Service')) if (spec.agent === agent) names.push(name);
  return names;
}

interface RunPlace {
  readonly agent: string | undefined;
  readonly service: string | undefined;
}

/** Names of what is under way there. */
async function runsOn(context: RouteContext, isThere: (place: RunPlace) => boolean): Promise<string[]> {
  const [backups, restores, drills] = await Promise.all([
    runsUnderWay(context, 'Backup'),
    runsUnderWay(context, 'Restore'),
    runsUnderWay(context, 'Drill'),
  ]);
  return [
    ...backups.filter(({ spec, status }) => isThere({ agent: status.agent, service: spec.service })),
    ...restores.filter(({ spec }) => isThere({ agent: spec.agent, service: serviceOf(spec) })),
    ...drills.filter(({ spec }) => isThere({ agent: spec.agent, service: undefined })),
  ].map(({ kind, name }) => `${kind.toLowerCase()} ${name}`);
}

function serviceOf({ target }: Resource<'Restore'>['spec']): string | undefined {
  return 'service' in target ? target.service : undefined;
}
