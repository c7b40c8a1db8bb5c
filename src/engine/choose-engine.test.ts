import { describe, expect, it } from 'vitest';
import { chooseEngine } from './choose-engine.ts';
import type { Engine, EngineName, ServerFacts } from './engine.ts';
import { toolFits } from './tool-fits.ts';

type Server = Pick<ServerFacts, 'vendor' | 'version'>;

const maria1011: Server = { vendor: 'MariaDB', version: '10.11.19-MariaDB-deb12' };
const mysql = (version: string): Server => ({ vendor: 'MySQL', version });

describe('a tool fits a server', () => {
  it.each<[string, Server, string]>([
    ['mariadb-backup 10.11.19-MariaDB', maria1011, 'ok'],
    ['mariadb-backup 10.11.20-MariaDB', maria1011, 'ok'],
    ['mariadb-backup 10.11.2-MariaDB', maria1011, 'warning'],
    ['mariadb-backup 11.8.9-MariaDB', maria1011, 'error'],
    ['mariadb-backup 10.11.19-MariaDB', mysql('8.0.42'), 'error'],
    ['xtrabackup 8.0.35-30', maria1011, 'error'],
    ['xtrabackup 8.0.35-30', mysql('8.0.42'), 'ok'],
    ['xtrabackup 8.0.33-28', mysql('8.0.42'), 'error'],
    ['xtrabackup 8.0.33-28', mysql('8.0.33'), 'ok'],
    ['xtrabackup 8.0.35-30', mysql('8.4.2'), 'error'],
    ['xtrabackup 8.4.0-1', mysql('8.4.6'), 'ok'],
    ['xtrabackup 8.4.0-1', { vendor: 'Percona Server', version: '8.4.6-6' }, 'ok'],
    ['xtrabackup 8.4.0-1', mysql('8.0.42'), 'error'],
    ['xtrabackup 8.4.0-1', mysql('9.7.1'), 'error'],
    ['xtrabackup 9.7.1-rc1', mysql('9.7.4'), 'warning'],
    ['xtrabackup 2.4.29', mysql('5.7.44'), 'error'],
  ])('%s, %o: %s', (tool, server, level) => {
    const [name, version = ''] = tool.split(' ');
    expect(toolFits({ name: name === 'xtrabackup' ? name : 'mariadb-backup', version }, server).level).toBe(level);
  });
});

describe('the choice', () => {
  it('is the newest that fits, one without a warning first', () => {
    const engines = ['10.11.2', '10.11.21', '10.11.20', '11.8.9'].map((version) => engine('mariadb-backup', version));
    expect(chooseEngine(maria1011, engines).engine?.version).toBe('10.11.21');
    expect(chooseEngine(maria1011, [engine('mariadb-backup', '10.11.2')]).engine?.version).toBe('10.11.2');
  });

  it('says what to install when none fits', () => {
    const { engine: none, findings } = chooseEngine(mysql('8.0.42'), [engine('xtrabackup', '8.4.0-1')]);
    expect(none).toBeUndefined();
    expect(findings.at(-1)).toMatchObject({
      level: 'error',
      code: 'tool-missing',
      nextStep: expect.stringContaining('8.0.35'),
    });
    expect(chooseEngine(maria1011, []).findings).toMatchObject([{ message: expect.stringContaining('found none') }]);
  });
});

function engine(name: EngineName, version: string): Engine {
  const unused = (): never => expect.unreachable('the choice runs nothing');
  return { name, version, preflight: unused, backup: unused, prepare: unused };
}
