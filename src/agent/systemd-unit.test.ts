import { execFile } from 'node:child_process';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { completeConfig } from './config.ts';
import { systemdUnit, unitName, type UnitOptions } from './systemd-unit.ts';

const analyze = '/usr/bin/systemd-analyze';
const hasSystemd = await access(analyze).then(
  () => true,
  () => false,
);

const config = (more: Record<string, unknown> = {}) =>
  completeConfig(
    {
      stateDirectory: '/var/lib/holdfast',
      locations: {
        main: { location: '/srv/backups', encryption: { type: 'none' } },
        cloud: { location: 's3://bucket', encryption: { type: 'none' } },
      },
      managedLocations: ['/mnt/shared', 's3://other', '*'],
      ...more,
    },
    'test',
  );
const unit = (more: Partial<UnitOptions> = {}): string =>
  systemdUnit({
    name: undefined,
    user: 'holdfast',
    command: [process.execPath, '/usr/lib/holdfast/cli.js', 'agent', '--config', '/etc/holdfast/agent.json'],
    config: config({ restore: { directories: ['/srv/restores'] } }),
    ...more,
  });
const valueOf = (text: string, name: string): string | undefined => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1];

describe('the systemd unit of an agent', () => {
  test('may read everything, change its own directories, and gain nothing', () => {
    const text = unit();
    expect(valueOf(text, 'User')).toBe('holdfast');
    expect(valueOf(text, 'CapabilityBoundingSet')).toBe('CAP_DAC_READ_SEARCH');
    expect(valueOf(text, 'AmbientCapabilities')).toBe('CAP_DAC_READ_SEARCH');
    // Proven with real tools by tests/integration/agent-unprivileged.test.ts.
    expect(valueOf(text, 'SecureBits')).toContain('no-setuid-fixup');
    expect(valueOf(text, 'NoNewPrivileges')).toBe('yes');
    expect(valueOf(text, 'ProtectSystem')).toBe('strict');
    expect(valueOf(text, 'ReadWritePaths')).toBe(
      '-/var/lib/holdfast -/var/lib/holdfast/drills -/srv/restores -/srv/backups -/mnt/shared',
    );
    expect(valueOf(text, 'ExecStart')).toContain(' /usr/lib/holdfast/cli.js agent --config /etc/holdfast/agent.json');
  });

  test('of root may give files away, and write where servers keep their data', () => {
    const text = unit({ user: 'root', config: config({ restore: { mayRestoreInPlace: true } }) });
    expect(valueOf(text, 'CapabilityBoundingSet')).toMatch(/CAP_CHOWN.*CAP_SETUID/);
    expect(valueOf(text, 'AmbientCapabilities')).toBeUndefined();
    expect(valueOf(text, 'ProtectSystem')).toBe('full');
  });

  test('is one for each agent of a host', () => {
    expect([unitName(undefined), unitName('db1')]).toEqual(['holdfast-agent', 'holdfast-agent-db1']);
    expect(valueOf(unit({ name: 'db1' }), 'Description')).toBe('Holdfast agent db1');
  });

  test('takes paths as they are, and none that would end its line', () => {
    const command = ['/opt/my node', '/a%b', '/c$d', '/e"f'] as const;
    expect(valueOf(unit({ command }), 'ExecStart')).toBe(String.raw`"/opt/my node" /a%%b "/c$$d" "/e\"f"`);
    expect(() => unit({ command: ['/a\nUser=root'] })).toThrow(/line end/);
  });

  test('is one that systemd understands', { timeout: 60_000 }, async ({ skip }) => {
    skip(!hasSystemd, `there is no ${analyze}`);
    const directory = await mkdtemp(join(tmpdir(), 'hf-unit-'));
    onTestFinished(async () => rm(directory, { recursive: true, force: true }));
    const inPlace = config({ restore: { mayRestoreInPlace: true } });
    const units = [unit({ user: 'daemon' }), unit({ name: 'db1', user: 'root', config: inPlace })];
    for (const [at, text] of units.entries()) {
      const path = join(directory, `holdfast-agent-${at}.service`);
      await writeFile(path, text);
      const { stdout, stderr } = await promisify(execFile)(analyze, ['verify', '--man=no', path]);
      expect(`${stdout}${stderr}`.split('\n').filter((line) => line.includes('holdfast'))).toEqual([]);
    }
  });
});
