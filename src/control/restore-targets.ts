import type { Resource } from '../api/resources.ts';
import type { ControlContext } from './context.ts';
import type { RestorePlace } from './wish-types.ts';
import { find } from './find.ts';
import { judgeServer, whyNotAt } from './judge-agent.ts';

/** Every service, the backup's own first, then every host with an agent: where the backup could go, or why it cannot. */
export async function restoreTargets({ catalog }: ControlContext, name: string): Promise<RestorePlace[]> {
  const backup = await find(catalog, 'Backup', name);
  const agents = new Map<string, Resource<'Agent'>>();
  for await (const agent of catalog.list('Agent')) agents.set(agent.name, agent);
  const places: RestorePlace[] = [];
  for await (const service of catalog.list('Service')) {
    const agent = agents.get(service.spec.agent);
    if (agent === undefined) continue;
    const judged = judgeServer(backup, service.status);
    const reason = whyNotAt(backup, agent) ?? (judged.level === 'error' ? judged.message : undefined);
    places.push({
      ...placeAt(agent, { reason, otherwise: judged.message }),
      service: service.name,
      isSame: service.name === backup.spec.service,
    });
  }
  // Into a directory goes any release: what starts there is up to the person.
  for (const agent of agents.values()) {
    const reason = whyNotAt(backup, agent) ?? noDirectory(agent);
    const otherwise = `Into a directory on the host of agent ${agent.name}.`;
    places.push({ ...placeAt(agent, { reason, otherwise }), mayRestoreInPlace: false, isSame: false });
  }
  return places.toSorted((a, b) => Number(b.isSame) - Number(a.isSame));
}

function placeAt(
  { name, status }: Resource<'Agent'>,
  { reason, otherwise }: { readonly reason: string | undefined; readonly otherwise: string },
): Omit<RestorePlace, 'isSame'> {
  return {
    agent: name,
    isCompatible: reason === undefined,
    why: reason ?? otherwise,
    directories: status.restoreDirectories,
    mayRestoreInPlace: status.mayRestoreInPlace,
  };
}

function noDirectory({ name, status }: Resource<'Agent'>): string | undefined {
  return status.restoreDirectories.length > 0
    ? undefined
    : `The file of agent ${name} lists no directory for restores.`;
}
