import type { StatusOf } from '../../src/api/resources.ts';
import type { Look } from './states.ts';

export const agentLooks: Readonly<Record<StatusOf<'Agent'>['state'], Look>> = {
  Unknown: { tone: 'waiting', word: 'Not heard of yet' },
  Connected: { tone: 'good', word: 'Connected' },
  Lost: { tone: 'bad', word: 'Lost' },
  NotTrusted: { tone: 'bad', word: 'Not trusted' },
};

export const serviceLooks: Readonly<Record<StatusOf<'Service'>['state'], Look>> = {
  Unknown: { tone: 'waiting', word: 'Not heard of yet' },
  Online: { tone: 'good', word: 'Online' },
  Down: { tone: 'bad', word: 'Down' },
  AgentLost: { tone: 'bad', word: 'Agent lost' },
};

export const locationLooks: Readonly<Record<StatusOf<'StorageLocation'>['state'], Look>> = {
  Unknown: { tone: 'waiting', word: 'Not tested yet' },
  Working: { tone: 'good', word: 'Working' },
  Failing: { tone: 'bad', word: 'Failing' },
};

/** For a filter by state. */
export function optionsOf(looks: Readonly<Record<string, Look>>): readonly { value: string; text: string }[] {
  return Object.entries(looks).map(([value, { word }]) => ({ value, text: word }));
}
