import { isDeepStrictEqual } from 'node:util';
import { describeFailure } from '../api/describe-failure.ts';
import type { Resource, StatusOf } from '../api/resources.ts';
import { PermanentFailure } from '../lib/failure.ts';

type Status = StatusOf<'Service'>;

/** A service as its agent sees it. Pure. @param agent undefined when there is none of that name */
export function serviceStatus(service: Resource<'Service'>, agent: Resource<'Agent'> | undefined): Status {
  const { state: _state, failure: _failure, ...known } = service.status;
  if (agent === undefined) return { ...known, state: 'AgentLost', failure: noAgent(service.spec.agent) };
  const { state, server, engines, failure } = agent.status;
  if (state === 'Unknown') return { ...known, state: 'Unknown' };
  if (state !== 'Connected') return { ...known, state: 'AgentLost', ...(failure && { failure }) };
  const engine = engines.find(({ isChosen }) => isChosen)?.name;
  if (server === undefined) return { ...known, state: 'Down', failure: noServer(agent.name) };
  const { isUp, vendor, version, identity, lineage, dataBytes } = server;
  if (!isUp) return { ...known, state: 'Down', ...(failure && { failure }) };
  return { state: 'Online', vendor, version, identity, lineage, dataBytes, engine };
}

/** A database grows all the time: a little more data alone is not worth a record. */
export function isWorthRecording(before: Status, after: Status): boolean {
  const [{ dataBytes: old = 0 }, { dataBytes: fresh = 0 }] = [before, after];
  const withOld =
    isLittleGrowth(old, fresh) && before.dataBytes !== undefined ? { ...after, dataBytes: before.dataBytes } : after;
  return !isDeepStrictEqual(plain(before), plain(withOld));
}

/** In bytes of data. */
export function isLittleGrowth(before: number, after: number): boolean {
  return Math.abs(after - before) <= Math.max(before, after) / 100;
}

/** Without fields that are undefined. */
function plain(status: Status): unknown {
  return JSON.parse(JSON.stringify(status));
}

function noAgent(name: string) {
  return describeFailure(
    new PermanentFailure('no-such-agent', `Cannot reach the server as its agent is not there any more: ${name}`, {
      nextStep: 'Enrol an agent beside the server and choose it for this service.',
    }),
  );
}

function noServer(name: string) {
  return describeFailure(
    new PermanentFailure('no-database', `Cannot back up a server as agent ${name} is a host without one`, {
      nextStep: "Name the server in the agent's file, or choose another agent for this service.",
    }),
  );
}
