import { isDeepStrictEqual } from 'node:util';
import type { Resource } from '../../api/resources.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { Conflict } from '../../lib/failure.ts';

export type AgentResource = Resource<'Agent'>;
export type AgentContent = Pick<AgentResource, 'spec' | 'status'>;

const maximumTries = 20;

/**
 * Changes an agent's resource, again where someone else changed it meanwhile; what stays the same is not written.
 * @returns undefined where there is none
 */
export async function changeAgent(
  catalog: Catalog,
  name: string,
  change: (agent: AgentResource) => AgentContent,
): Promise<AgentResource | undefined> {
  for (let tries = 1; ; tries += 1) {
    const agent = await catalog.get('Agent', name);
    if (agent === undefined) return undefined;
    const changed = { ...agent, ...change(agent) };
    if (isDeepStrictEqual(changed, agent)) return agent;
    try {
      return await catalog.replace(changed);
    } catch (error) {
      const isLate = error instanceof Conflict && error.code === 'changed-meanwhile';
      if (!isLate || tries >= maximumTries) throw error;
    }
  }
}
