import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { styleText } from 'node:util';
import * as z from 'zod';
import { type RestartableServer, startRestartable } from '../tests/support/restartable-server.ts';
import { serverUser } from '../tests/support/server-user.ts';
import { startInBrowser } from './demo/in-browser.ts';
import { aDayInTheShop, buildShop } from './demo/shop.ts';
import { ensureMariadb } from './setup/mariadb.ts';
import { run } from './setup/run.ts';

/**
 * Shows Holdfast on a real server, from the first backup to a proven one, and then the same in a browser. Exit code 0 only
 * if every checksum is equal and the web pages answer.
 */

/** Of `repository show` and of `drill`, each as far as it goes. */
const resultSchema = z.object({
  backup: z.string().default(''),
  storedBytes: z.number().default(0),
  checksums: z.record(z.string(), z.string()).default({}),
  steps: z.array(z.object({ name: z.string(), ms: z.number() })).default([]),
});
type Result = z.infer<typeof resultSchema>;

interface Demo {
  readonly server: RestartableServer;
  /** Folder of its programs. */
  readonly bin: string;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

const isOnce = process.argv.includes('--once');
const folder = await mkdtemp(join(tmpdir(), 'holdfast-demo-'));
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
try {
  await tour();
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function tour(): Promise<void> {
  const mariadb = await ensureMariadb();
  heading(`Starting MariaDB ${mariadb.version} and filling a sample shop`);
  await using server = await startRestartable({ bin: mariadb.bin, more: ['--innodb-buffer-pool-size=256M'] });
  for (const statement of buildShop) await server.query(statement);
  const [size] = await server.query(
    `SELECT ROUND(SUM(data_length + index_length) / 1e6) FROM information_schema.tables WHERE table_schema = 'shop'`,
  );
  say(`The shop has ${size?.[0]} MB in five tables.`);
  const demo = { server, bin: mariadb.bin, folder, env: await environment(mariadb.bin) };

  heading('A repository, encrypted, in a directory');
  await show(demo, ['repository', 'init']);
  const first = await backUp(demo, 'The first backup');
  const isFirstEqual = await prove(demo, first);

  heading('A day in the shop: 1 % of the orders change, 1 % are new');
  for (const statement of aDayInTheShop) await server.query(statement);
  const second = await backUp(demo, 'The second backup: again a full one');
  const isSecondEqual = await prove(demo, second);

  heading('What there is now');
  await show(demo, ['repository', 'list']);
  figures(first, second);
  const isEqual = isFirstEqual && isSecondEqual;
  say(isEqual ? styleText('green', 'Every table is equal to its source.') : styleText('red', 'Some tables differ.'));
  process.exitCode = isEqual ? 0 : 1;
  await inBrowser(demo);
}

/** What was shown so far, for people with a browser; with `--once` only that it answers. */
async function inBrowser(demo: Demo): Promise<void> {
  heading('The same in a browser');
  await using pages = await startInBrowser(demo);
  await pages.check();
  say(`Open ${pages.url} and sign in as ${pages.user} with the password ${pages.password}`);
  say(
    'There are two servers to try things on, shop and shop-copy, and a bucket of an S3-compatible server to store in.',
  );
  if (!isOnce) await stayUp(demo);
}

async function environment(bin: string): Promise<NodeJS.ProcessEnv> {
  const passphraseFile = join(folder, 'passphrase');
  await writeFile(passphraseFile, 'a demo is no secret\n', { mode: 0o600 });
  return {
    ...process.env,
    PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
    HOLDFAST_REPOSITORY: join(folder, 'repository'),
    HOLDFAST_PASSPHRASE_FILE: passphraseFile,
    HOLDFAST_STATE_DIR: join(folder, 'state'),
  };
}

async function backUp(demo: Demo, title: string): Promise<Result> {
  heading(title);
  await show(demo, ['backup', '--service', 'shop', '--socket', demo.server.socket, '--user', 'root']);
  return ask(demo, ['repository', 'show', 'latest']);
}

/** Drills the backup and compares what its server says of each table with what the source says. */
async function prove(demo: Demo, backup: Result): Promise<boolean> {
  heading('A drill: restore it into a scratch directory, start a server on it, check every table');
  const owner = serverUser().uid === process.getuid?.() ? [] : ['--owner', 'nobody'];
  const { steps, checksums } = await ask(demo, ['drill', backup.backup, '--checksums', ...owner]);
  say(`It took ${steps.map(({ name, ms }) => `${name} ${(ms / 1000).toFixed(1)} s`).join(', ')}.`);
  say(`${'table'.padEnd(18)}${'source'.padStart(12)}${'restored'.padStart(12)}`);
  const sources = await demo.server.query(
    'CHECKSUM TABLE shop.customers, shop.orders, shop.lines, shop.visits, shop.settings',
  );
  return sources.map(([table = '', source = '']) => compare(table, source, checksums[table] ?? 'none')).every(Boolean);
}

function compare(table: string, source: string, restored: string): boolean {
  const mark = restored === source ? styleText('green', 'equal') : styleText('red', 'DIFFERENT');
  say(`${table.padEnd(18)}${source.padStart(12)}${restored.padStart(12)}  ${mark}`);
  return restored === source;
}

/** Runs the program as a person would, and shows the command and what it prints. */
async function show({ env }: Demo, args: readonly string[]): Promise<void> {
  console.log(`${styleText('dim', '$')} holdfast ${args.join(' ')}`);
  const child = spawn('./holdfast', args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
  const abort = (): boolean => child.kill('SIGTERM');
  interrupted.signal.addEventListener('abort', abort, { once: true });
  const [code] = await once(child, 'exit');
  interrupted.signal.removeEventListener('abort', abort);
  if (code !== 0) throw new Error(`holdfast ${args[0]} ended with exit code ${code}`);
}

/** Runs the program for its result, the last document that it prints. */
async function ask({ env }: Demo, args: readonly string[]): Promise<Result> {
  console.log(`${styleText('dim', '$')} holdfast ${args.join(' ')}`);
  const printed = await run('./holdfast', [...args, '--json'], { env });
  return resultSchema.parse(JSON.parse(printed.trim().split('\n').at(-1) ?? ''));
}

function figures(first: Result, second: Result): void {
  const share = ((100 * second.storedBytes) / first.storedBytes).toFixed(1);
  say(`The second backup restores by itself and added ${share} % of what the first one stored.`);
}

async function stayUp({ server, bin, env }: Demo): Promise<void> {
  const names = ['HOLDFAST_REPOSITORY', 'HOLDFAST_PASSPHRASE_FILE', 'HOLDFAST_STATE_DIR'];
  heading('All of it stays up until you press Ctrl-C. In another terminal:');
  for (const name of names) console.log(`  export ${name}=${env[name]}`);
  console.log(`  export PATH=${bin}:$PATH`);
  console.log(`  ${process.cwd()}/holdfast repository list`);
  console.log(`  mariadb --socket=${server.socket} --user=root shop`);
  if (!interrupted.signal.aborted) await once(interrupted.signal, 'abort');
}

function heading(text: string): void {
  console.log(`\n${styleText('bold', text)}`);
}

function say(text: string): void {
  console.log(text);
}
