import { describe, expect, it } from 'vitest';
import { agentSpecSchema, agentStatusSchema, serviceSpecSchema, serviceStatusSchema } from '../api/inventory.ts';
import type { Resource } from '../api/resources.ts';
import { isWorthRecording, serviceStatus } from './service-status.ts';

const common = { uid: 'u', version: 1, createdAt: '2026-01-01T00:00:00.000Z' };
const service: Resource<'Service'> = {
  kind: 'Service',
  name: 'shop',
  ...common,
  spec: serviceSpecSchema.parse({ agent: 'db1' }),
  status: serviceStatusSchema.parse({ state: 'Online', vendor: 'MariaDB', version: '10.11.6', dataBytes: 1000 }),
};

function agent(status: object): Resource<'Agent'> {
  return {
    kind: 'Agent',
    name: 'db1',
    ...common,
    spec: agentSpecSchema.parse({ connection: { type: 'dials' } }),
    status: agentStatusSchema.parse(status),
  };
}

const server = { isUp: true, vendor: 'MariaDB', version: '10.11.7', identity: 'i', lineage: 'l', dataBytes: 1005 };
const failure = { code: 'x', message: 'Cannot', evidence: [], causes: [], isPermanent: false };

describe('the status of a service', () => {
  it.each([
    { what: 'a server that is up', seen: { state: 'Connected', server }, state: 'Online', version: '10.11.7' },
    { what: 'a server that is down', seen: { state: 'Connected', server: { isUp: false }, failure }, state: 'Down' },
    { what: 'a host without a server', seen: { state: 'Connected' }, state: 'Down' },
    { what: 'an agent that is lost', seen: { state: 'Lost', server, failure }, state: 'AgentLost' },
    { what: 'an agent that lies', seen: { state: 'NotTrusted', failure }, state: 'AgentLost' },
    { what: 'an agent not heard of yet', seen: { state: 'Unknown' }, state: 'Unknown' },
  ])('is that of $what: $state', ({ seen, state, version }) => {
    expect(serviceStatus(service, agent(seen))).toMatchObject({ state, version: version ?? '10.11.6' });
  });

  it('says when there is no such agent any more', () => {
    expect(serviceStatus(service, undefined)).toMatchObject({ state: 'AgentLost', failure: { code: 'no-such-agent' } });
  });

  it('is recorded when it changes, but not for a little more data', () => {
    const { status } = service;
    expect(isWorthRecording(status, { ...status, dataBytes: 1009, engine: undefined })).toBe(false);
    expect(isWorthRecording(status, { ...status, dataBytes: 1100 })).toBe(true);
    expect(isWorthRecording(status, { ...status, state: 'Down' })).toBe(true);
    expect(isWorthRecording({ state: 'Unknown' }, { state: 'Unknown', dataBytes: 5 })).toBe(true);
  });
});
