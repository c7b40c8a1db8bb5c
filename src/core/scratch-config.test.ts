import { expect, test } from 'vitest';
import { parseBackupOptions, scratchConfig, type ScratchConfigOptions } from './scratch-config.ts';

const options: ScratchConfigOptions = {
  vendor: 'MariaDB',
  dataDirectory: '/srv/restored',
  privateDirectory: '/tmp/holdfast-abc',
  temporaryDirectory: '/srv/tmp',
  serverId: 4_000_000_000,
  bufferPoolBytes: 1024,
  user: '112',
  variables: { lower_case_table_names: '1', server_id: '7', init_file: '/etc/run.sql' },
  backupOptions: '# Comment\n[mysqld]\ninnodb_page_size=4096\ninnodb-undo-tablespaces = 3\nplugin_load=x\n',
};

/** The value a server would use: the last one, dashes and underscores being the same. */
function effective(text: string): Record<string, string> {
  const lines = text.split('\n').flatMap((line) => [...line.matchAll(/^([\w-]+)="(.*)"$/g)]);
  return Object.fromEntries(lines.map(([, name = '', value = '']) => [name.replaceAll('-', '_'), value]));
}

test('takes what the files need from their record, and nothing else of the old server', () => {
  const settings = effective(scratchConfig(options));
  expect(settings).toMatchObject({
    innodb_page_size: '4096',
    loose_innodb_undo_tablespaces: '3',
    lower_case_table_names: '1',
    server_id: '4000000000',
    user: '112',
    datadir: '/srv/restored',
    tmpdir: '/srv/tmp',
    socket: '/tmp/holdfast-abc/s.sock',
  });
  expect(Object.keys(settings)).not.toContain('init_file');
  expect(Object.keys(settings)).not.toContain('plugin_load');
});

test('cuts the server off whatever the host adds', () => {
  const hostOptions = {
    'skip-networking': 'OFF',
    event_scheduler: 'ON',
    'log-bin': 'bin',
    skip_log_bin: 'OFF',
    file_key_management_filename: '/etc/keys',
  };
  expect(effective(scratchConfig({ ...options, hostOptions }))).toMatchObject({
    skip_networking: 'ON',
    skip_grant_tables: 'ON',
    event_scheduler: 'DISABLED',
    skip_log_bin: 'ON',
    loose_skip_slave_start: 'ON',
    loose_skip_replica_start: 'ON',
    file_key_management_filename: '/etc/keys',
  });
});

test('keeps MySQL from reading the settings that the old server kept with its data', () => {
  expect(effective(scratchConfig({ ...options, vendor: 'MySQL' }))['persisted_globals_load']).toBe('OFF');
});

test.each(['a\nplugin_load=x', 'a"b', 'a\\'])('refuses a value that would not stay in its line: %j', (value) => {
  expect(() => scratchConfig({ ...options, hostOptions: { tmp: value } })).toThrow(
    'as an option cannot be written down: tmp',
  );
});

test('reads the settings of a backup, in either spelling', () => {
  expect(parseBackupOptions(options.backupOptions)).toEqual({
    innodb_page_size: '4096',
    innodb_undo_tablespaces: '3',
    plugin_load: 'x',
  });
});
