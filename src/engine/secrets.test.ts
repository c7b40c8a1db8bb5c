import { expect, it } from 'vitest';
import { atBest } from '../../tests/support/at-best.ts';
import { isSecret, withoutSecrets } from './secrets.ts';

it.each([
  [
    'recognized client arguments: --user=bk --password=geheim --port=1',
    'recognized client arguments: --user=bk --password=*** --port=1',
  ],
  ['tool_command = --password=... --backup', 'tool_command = --password=*** --backup'],
  ["CREATE USER x IDENTIFIED BY 'geheim'", 'CREATE USER x IDENTIFIED BY ***'],
  ['mysql://root:geheim@localhost/x', 'mysql://root:***@localhost/x'],
  [
    "Access denied for user 'bk'@'localhost' (using password: YES)",
    "Access denied for user 'bk'@'localhost' (using password: YES)",
  ],
  ['mysql://root:p@ss:w0rd@db.example/x', 'mysql://root:***@db.example/x'],
  ['dsn root:geheim@tcp(db.example:3306)/app', 'dsn root:***@tcp(db.example:3306)/app'],
  ['inno-backup-opts="--password=ge,he;im --user=bk"', 'inno-backup-opts="--password=*** --user=bk"'],
  ['wsrep_sst_auth=bk:geheim', 'wsrep_sst_auth=***'],
  ["--wsrep-sst-auth='bk:geheim' --port=1", '--wsrep-sst-auth=*** --port=1'],
  ['{"vault_url": "https://v/", "token": "s.geheim"}', '{"vault_url": "https://v/", "token": ***}'],
  ["IDENTIFIED WITH caching_sha2_password BY 'geheim'", 'IDENTIFIED WITH caching_sha2_password BY ***'],
  ["IDENTIFIED VIA ed25519 USING 'hash'", 'IDENTIFIED VIA ed25519 USING ***'],
  ["CHANGE MASTER TO MASTER_PASSWORD='geheim', MASTER_PORT=1", 'CHANGE MASTER TO MASTER_PASSWORD=***, MASTER_PORT=1'],
  ['[00] Copying ./db/t@0024.ibd to ./db/t@0024.ibd', '[00] Copying ./db/t@0024.ibd to ./db/t@0024.ibd'],
  ['innodb_ft_max_token_size = 84', 'innodb_ft_max_token_size = 84'],
  ['it has Tr0ub4dor in it', 'it has *** in it'],
])('%s', (line, clean) => {
  expect(withoutSecrets(line, ['Tr0ub4dor', 'it'])).toBe(clean);
});

it.each([
  'password',
  'report_password',
  'keyring_migration_password',
  'keyring_encrypted_file_password',
  'wsrep_sst_auth',
  'wsrep-sst-auth',
  'authentication_ldap_simple_bind_root_pwd',
  'authentication_ldap_sasl_bind_root_pwd',
  'ssl_passphrase',
  's3_secret_key',
  'encrypt-key',
  'transition-key',
  'file_key_management_filekey',
  'file_key_management_filekey_data',
  'hashicorp-key-management-token',
  'keyring_hashicorp_secret_id',
  'keyring_vault_token',
  'vault_token',
  'handlersocket_plain_secret_wr',
  'otel_exporter_otlp_traces_headers',
  'loose-master-password',
])('hides the value of %s', (name) => {
  expect(isSecret(name, 'geheim')).toBe(true);
});

it.each([
  ['report_password', '20261121'],
  ['keyring_hashicorp_secret_id', '0'],
])('hides the value of %s, which is a number', (name, value) => {
  expect(isSecret(name, value)).toBe(true);
});

it.each([
  ['port', '3306'],
  ['key_buffer_size', '1G'],
  ['ssl_key', '/etc/key.pem'],
  ['foreign_key_checks', 'ON'],
  ['init_connect', 'SET NAMES utf8mb4'],
  ['init_file', '/etc/mysql/init.sql'],
  ['password_history', '0'],
  ['strict_password_validation', 'ON'],
  ['validate_password.policy', 'MEDIUM'],
  ['caching_sha2_password_private_key_path', 'private_key.pem'],
  ['keyring_file_data', '/var/lib/keyring'],
  ['innodb_ft_max_token_size', '84'],
  ['aws_key_management_master_key_id', 'alias/db'],
  ['default_authentication_plugin', 'caching_sha2_password'],
  ['report_password', ''],
])('shows the value of %s', (name, value) => {
  expect(isSecret(name, value)).toBe(false);
});

it('takes no time over a line without end', async () => {
  expect(await atBest(1_000, async () => timeOfLongLines())).toBeLessThan(1_000);
});

function timeOfLongLines(): number {
  const before = performance.now();
  for (const part of [
    'x',
    'password',
    'a.',
    'a:',
    'a:,',
    'a://a:',
    'a@',
    '=',
    ' ',
    'identified by ',
    'password=',
    'otlp-a-',
  ])
    withoutSecrets(part.repeat(65_536 / part.length));
  return performance.now() - before;
}
