/**
 * Stands in for mariadb-backup where a server with so many tables could not be made or not be opened: `COUNT VERSION` and then the
 * arguments of the real one. Writes the stream that the real one writes for tables of one row each.
 */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { FilePiece } from '../../src/engine/engine.ts';
import { encodeXbstream } from '../../src/engine/xbstream-encode.ts';

const [count = '0', version = '', ...args] = process.argv.slice(2);
const pageBytes = 16 << 10;
/** What InnoDB makes for an empty table. */
const pages = 4;
const tablesPerDatabase = 10_000;

if (args.includes('--version'))
  process.stdout.write(`mariadb-backup based on MariaDB server ${version} Linux (x86_64)\n`);
else if (args.includes('--prepare')) say('completed OK!');
else await backup();

async function backup(): Promise<void> {
  say('Starting BACKUP STAGE START');
  const stream = Readable.from(encodeXbstream(files()), { objectMode: true });
  for await (const bytes of stream) if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
  say('completed OK!');
}

async function* files(): AsyncGenerator<readonly FilePiece[]> {
  yield file('ibdata1', Buffer.alloc(pageBytes * pages, 1));
  for (let table = 0; table < Number(count); table += 1) {
    const path = `many${Math.floor(table / tablesPerDatabase)}/table_of_a_tenant_${table}`;
    say(`Streaming ./${path}.ibd`);
    yield file(`${path}.ibd`, tablespace(table));
    say('        ...done');
  }
  for (let table = 0; table < Number(count); table += 1)
    yield file(
      `many${Math.floor(table / tablesPerDatabase)}/table_of_a_tenant_${table}.frm`,
      Buffer.alloc(900, `frm ${table}`),
    );
  yield file('xtrabackup_binlog_info', Buffer.from('bin.000001\t330\t\n'));
  yield file('ib_logfile0', Buffer.alloc(pageBytes));
  yield file(
    'xtrabackup_checkpoints',
    Buffer.from('backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 1\nlast_lsn = 1\n'),
  );
  yield file('backup-my.cnf', Buffer.from('[mysqld]\ninnodb_page_size=16384\n'));
  yield file('xtrabackup_info', Buffer.from(`tool_version = ${version}\nserver_version = ${version}\n`));
  await Promise.resolve();
}

/** Pages that are mostly empty, as those of small tables are. */
function tablespace(table: number): Buffer {
  const bytes = Buffer.alloc(pageBytes * pages);
  for (let page = 0; page < pages; page += 1) bytes.write(`page ${page} of table ${table}`, page * pageBytes);
  return bytes;
}

function file(path: string, bytes: Buffer): FilePiece[] {
  return [
    { type: 'data', path, offset: 0, bytes },
    { type: 'end', path, size: bytes.length },
  ];
}

function say(line: string): void {
  process.stderr.write(`[00] 2026-11-21 02:03:06 ${line}\n`);
}
