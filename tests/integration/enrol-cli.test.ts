import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeAgentHome, startTestAgent } from '../support/agents.ts';
import { documentsOf, holdfast } from '../support/cli.ts';
import { startFleet } from '../support/fleet.ts';

const version = JSON.parse(await readFile('package.json', 'utf8')).version;

test('holdfast agent join lets an agent that runs join, and never shows the token', async () => {
  await using fleet = await startFleet({ version });
  await using home = await makeAgentHome();
  const config = join(home.directory, 'agent.json');
  await writeFile(config, JSON.stringify(home.config), { mode: 0o600 });
  await using _ = await startTestAgent(home, { version, heartbeatMs: 500 });
  const { token } = await fleet.agents.joinTokens.create({ validSeconds: 60, ...fleet });
  const tokenFile = join(home.directory, 'join');
  await writeFile(tokenFile, `${token}\n`);
  const both = await holdfast([
    'agent',
    'join',
    '--config',
    config,
    '--dial-out',
    '--listen-url',
    'https://x',
    tokenFile,
  ]);
  expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('exclude each other') });
  const given = await holdfast(['agent', 'join', '--config', config, token]);
  expect(given.code).not.toBe(0);
  expect(given.stderr).toContain('the token itself was given');
  expect(given.stderr).not.toContain(token);
  const joined = await holdfast(['--json', 'agent', 'join', '--config', config, '--name', 'terminal', tokenFile]);
  expect(joined.stderr).toBe('');
  expect(documentsOf(joined)).toEqual([{ type: 'result', name: 'terminal', url: fleet.url, connection: 'dials' }]);
  expect((await stat(join(home.state, 'manager.json'))).mode & 0o777).toBe(0o600);
  await fleet.reaches('terminal', 'Connected');
  const again = await holdfast(['agent', 'join', '--config', config, '--name', 'second', tokenFile]);
  expect(again.code).not.toBe(0);
  expect(again.stderr).toContain('used before');
});

test('holdfast agent install shows the unit that it would write', async () => {
  const { code, stdout } = await holdfast(['agent', 'install', '--print', '--name', 'db1']);
  expect(code).toBe(0);
  expect(stdout).toContain('Description=Holdfast agent db1');
  expect(stdout).toContain('CapabilityBoundingSet=CAP_DAC_READ_SEARCH');
  const bad = await holdfast(['agent', 'install', '--print', '--name', '../x']);
  expect(bad.code).toBe(2);
});
