import type { Resource } from '../api/resources.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { InvalidRequest } from '../lib/failure.ts';
import { judgeServer, whyNotAt } from './judge-agent.ts';

/**
 * An agent for a drill: one on a host without a server, then one whose server is of a release that can open the backup, and
 * the backup's own last, as a drill takes work from the server beside it.
 * @throws InvalidRequest `no-drill-host`
 */
export async function chooseDrillAgent(catalog: Catalog, backup: Resource<'Backup'>): Promise<string> {
  const service = await catalog.get('Service', backup.spec.service);
  const own = service?.spec.agent ?? backup.status.agent;
  const reasons: string[] = [];
  const able: Resource<'Agent'>[] = [];
  for await (const agent of catalog.list('Agent')) {
    const reason = whyNot(backup, agent);
    if (reason === undefined) able.push(agent);
    else reasons.push(reason);
  }
  const rank = ({ name, status }: Resource<'Agent'>): number =>
    status.server === undefined ? 0 : name === own ? 2 : 1;
  const [best] = able.toSorted((a, b) => rank(a) - rank(b));
  if (best !== undefined) return best.name;
  throw new InvalidRequest(
    'no-drill-host',
    `Cannot drill backup ${backup.name} as no agent can: ${reasons.slice(0, 5).join(' ') || 'there is none'}`,
    { nextStep: 'Name an agent, or join one on a host with the tools and a server of that release.' },
  );
}

function whyNot(backup: Resource<'Backup'>, agent: Resource<'Agent'>): string | undefined {
  const { server } = agent.status;
  const judged = server === undefined ? undefined : judgeServer(backup, server);
  return whyNotAt(backup, agent) ?? (judged?.level === 'error' ? judged.message : undefined);
}
