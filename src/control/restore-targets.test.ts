import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StandInLab } from '../../tests/support/stand-in-lab.ts';
import { agentSpecSchema, agentStatusSchema, serviceSpecSchema, serviceStatusSchema } from '../api/inventory.ts';

let lab: StandInLab;
beforeEach(async () => {
  lab = await StandInLab.start();
});
afterEach(async () => lab[Symbol.asyncDispose]());

const engines = [{ name: 'mariadb-backup', version: '10.11.19', isChosen: true }];

/** An agent, and a service of its own where a version is given. */
async function join(name: string, status: object, version?: string): Promise<void> {
  const server = version === undefined ? {} : { server: { isUp: true, vendor: 'MariaDB', version } };
  await lab.catalog.create('Agent', name, {
    spec: agentSpecSchema.parse({ connection: { type: 'dials' } }),
    status: agentStatusSchema.parse({
      state: 'Connected',
      engines,
      managedLocations: ['*'],
      restoreDirectories: ['/srv/restores'],
      ...server,
      ...status,
    }),
  });
  if (version === undefined) return;
  await lab.catalog.create('Service', `${name}-service`, {
    spec: serviceSpecSchema.parse({ agent: name }),
    status: serviceStatusSchema.parse({ state: 'Online', vendor: 'MariaDB', version }),
  });
}

describe('where a backup could go', () => {
  it('lists every service and every host, and says of each that cannot why', async () => {
    await lab.succeeded();
    await join('newer', {}, '11.4.2-MariaDB');
    await join('older', {}, '10.6.1-MariaDB');
    await join('lost', { state: 'Lost' }, '10.11.19-MariaDB');
    await join('closed', { managedLocations: [] });
    await join('bare', { engines: [] });
    await join('host', {});
    await lab.pass(1_000);
    const places = await lab.control.restoreTargets('b');
    const service = (name: string) => places.find((place) => place.service === name);
    const host = (name: string) => places.find((place) => place.agent === name && place.service === undefined);
    expect(places[0]).toMatchObject({ service: 'shop', isSame: true, isCompatible: false });
    expect(service('newer-service')).toMatchObject({ isCompatible: true, why: expect.stringContaining('upgrade') });
    expect(service('older-service')).toMatchObject({ isCompatible: false, why: expect.stringContaining('downgrade') });
    expect(host('older')).toMatchObject({ isCompatible: true });
    expect(service('lost-service')).toMatchObject({ isCompatible: false, why: 'Agent lost does not answer.' });
    expect(host('closed')).toMatchObject({ isCompatible: false, why: expect.stringContaining('no storage locations') });
    expect(host('bare')).toMatchObject({ isCompatible: false, why: expect.stringContaining('no mariadb-backup') });
    expect(host('host')).toMatchObject({ isCompatible: true, directories: ['/srv/restores'] });
  });

  it('chooses for a drill a host without a server first, and says why none can', async () => {
    await lab.succeeded();
    const wish = { backup: 'b', depth: 'quick', withChecksums: false } as const;
    await expect(lab.control.createDrill(wish)).rejects.toMatchObject({ code: 'no-drill-host' });
    await join('newer', {}, '11.4.2-MariaDB');
    await lab.pass(1_000);
    expect((await lab.control.createDrill(wish)).spec.agent).toBe('newer');
    await join('host', {});
    await lab.pass(1_000);
    const drill = await lab.control.createDrill(wish);
    expect(drill.spec.agent).toBe('host');
    expect(drill.name).toMatch(/^drill-\d{8}T\d{6}Z-[0-9a-f]{8}$/);
  });
});
