import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { completeConfig } from './config.ts';

const docs = await readFile(new URL('../../docs/agent.md', import.meta.url), 'utf8');

test('the file that the documentation shows is valid, and every setting is described', () => {
  const [, example = ''] = /```json\n(\{\n[^`]*?"listen"[^`]*?)```/.exec(docs) ?? [];
  const config = completeConfig(JSON.parse(example), 'docs/agent.md');
  expect(config.restore.control).toEqual({ type: 'systemd', unit: 'mariadb.service' });
  for (const name of Object.keys(config)) if (name !== 'toolEnv') expect(docs).toContain(`\`${name}`);
});

test('without a file there are safe defaults', () => {
  const config = completeConfig({}, 'nowhere');
  expect(config).toMatchObject({
    listen: { address: '127.0.0.1', port: 7443 },
    database: {},
    locations: {},
    restore: { directories: [], mayRestoreInPlace: false },
  });
  expect(config.tokenFile.startsWith(config.stateDirectory)).toBe(true);
});

test.each([
  ['a relative path', { stateDirectory: 'state' }],
  ['a location without a word on encryption', { locations: { a: { location: '/a' } } }],
  ['a shell line as a command', { restore: { control: { type: 'commands', stop: 'systemctl stop x', start: [] } } }],
  ['a command that is no path', { restore: { control: { type: 'commands', stop: ['stop'], start: ['/start'] } } }],
  ['a unit that looks like an option', { restore: { control: { type: 'systemd', unit: '--force' } } }],
  ['a password in the file', { database: { password: 'hush' } }],
])('refuses %s', (_, given) => {
  expect(() => completeConfig(given, 'agent.json')).toThrow(/agent\.json/);
});
