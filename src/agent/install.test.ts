import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { completeConfig, loadAgentConfig } from './config.ts';
import { install, type InstallHost, planInstall } from './install.ts';

describe('installing an agent', () => {
  let root: string;
  let ran: string[];
  let host: InstallHost;
  const self = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'hf-install-'));
    ran = [];
    const users = new Set(['postgres']);
    host = {
      configDirectory: join(root, 'etc'),
      stateParent: join(root, 'lib'),
      unitDirectory: join(root, 'units'),
      isRoot: true,
      run: async (argv) => {
        ran.push(argv.join(' '));
        if (argv[0]?.endsWith('useradd') === true) users.add(argv.at(-1) ?? '');
      },
      findUser: async (name) => (users.has(name) ? self : undefined),
    };
    for (const name of ['lib', 'units']) await mkdir(join(root, name));
  });
  afterEach(async () => rm(root, { recursive: true, force: true }));

  const readConfig = async (file: string | undefined, otherwise: unknown) =>
    file === undefined ? completeConfig(otherwise, 'test') : loadAgentConfig(file);
  const wish = (name?: string) =>
    ({ name, user: 'holdfast', configFile: undefined, program: ['/usr/bin/node', '/opt/cli.js'] }) as const;
  const plan = async (name?: string) => planInstall(wish(name), host, readConfig);

  test('writes a file of its own, a state directory and a unit, and starts nothing', async () => {
    await install(await plan(), 'holdfast', host);
    expect(ran).toEqual([
      `/usr/sbin/useradd --system --user-group --home-dir ${root}/lib/holdfast --shell /usr/sbin/nologin holdfast`,
      '/usr/bin/systemctl daemon-reload',
    ]);
    const config = await loadAgentConfig(join(root, 'etc', 'agent.json'));
    expect(config.stateDirectory).toBe(join(root, 'lib', 'holdfast'));
    expect((await stat(config.stateDirectory)).mode & 0o777).toBe(0o711);
    expect(await readFile(join(root, 'units', 'holdfast-agent.service'), 'utf8')).toContain(
      `ExecStart=/usr/bin/node /opt/cli.js agent --config ${root}/etc/agent.json`,
    );
  });

  test('installs several agents on one host, apart from each other', async () => {
    for (const name of ['db1', 'db2']) await install(await plan(name), 'holdfast', host);
    for (const name of ['db1', 'db2']) {
      const config = await loadAgentConfig(join(root, 'etc', `agent-${name}.json`));
      expect(config.stateDirectory).toBe(join(root, 'lib', `holdfast-${name}`));
      expect(config.listen.port).toBe(0);
      await stat(join(root, 'units', `holdfast-agent-${name}.service`));
    }
    // The user was made once.
    expect(ran.filter((line) => line.includes('useradd'))).toHaveLength(1);
  });

  test('again leaves the file as people wrote it, and brings the unit up to date with it', async () => {
    await install(await plan(), 'holdfast', host);
    const file = join(root, 'etc', 'agent.json');
    const text = JSON.stringify({
      stateDirectory: join(root, 'lib', 'holdfast'),
      restore: { directories: ['/srv/x'] },
    });
    await writeFile(file, text);
    await install(await plan(), 'holdfast', host);
    expect(await readFile(file, 'utf8')).toBe(text);
    expect(await readFile(join(root, 'units', 'holdfast-agent.service'), 'utf8')).toContain('-/srv/x');
  });

  test('takes root, and names that are names', async () => {
    const planned = await plan();
    await expect(install(planned, 'holdfast', { ...host, isRoot: false })).rejects.toMatchObject({
      code: 'install-needs-root',
    });
    for (const name of ['../x', 'a b', '-x', ''])
      await expect(plan(name)).rejects.toMatchObject({ code: 'install-name-invalid' });
    await expect(planInstall({ ...wish(), user: 'a\nb' }, host, readConfig)).rejects.toMatchObject({
      code: 'install-name-invalid',
    });
  });
});
