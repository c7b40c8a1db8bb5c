import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { ensureMariadb } from '../../../scripts/setup/mariadb.ts';
import { type RestartableServer, startRestartable } from '../../support/restartable-server.ts';
import { startVersitygw, type VersitygwServer } from '../../support/servers.ts';
import { fromSource, startUp } from '../../support/up.ts';
import { newContext, startBrowser } from './browser.ts';

/** `holdfast up` for a real server, a bucket to store in, and a browser. */
export interface Stage extends AsyncDisposable {
  readonly server: RestartableServer;
  readonly bucket: VersitygwServer;
  readonly browser: Browser;
  readonly context: BrowserContext;
  readonly url: string;
  readonly password: string;
  /** Where restores may go. */
  readonly restores: string;
}

/** Some seconds of work for a backup. */
const fill = `
  CREATE DATABASE shop;
  CREATE TABLE shop.orders (id INT PRIMARY KEY, note VARCHAR(120), token BINARY(100)) ENGINE=InnoDB;
  INSERT INTO shop.orders SELECT seq, MD5(seq), CONCAT(UNHEX(SHA2(seq, 512)), UNHEX(SHA1(-seq))) FROM mysql.seq_1_to_400000;
  CREATE TABLE shop.customers (id INT PRIMARY KEY, name VARCHAR(40)) ENGINE=InnoDB;
  INSERT INTO shop.customers SELECT seq, CONCAT('customer ', seq) FROM mysql.seq_1_to_1000;`;

export async function openStage(): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const { bin } = await ensureMariadb();
  const folder = await mkdtemp(join(tmpdir(), 'hf-web-'));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  // A drill's server is another user, and passes through.
  await chmod(folder, 0o711);
  const server = stack.use(await startRestartable({ bin, more: ['--log-bin=binlog', '--server-id=1'] }));
  await server.query(fill);
  const bucket = stack.use(await startVersitygw());
  await bucket.createBucket('backups');
  const env = { ...process.env, PATH: [bin, process.env['PATH']].join(delimiter) };
  const state = join(folder, 'state');
  const { url, passwordFile = '' } = await startUp(stack, {
    command: fromSource,
    env,
    server,
    bin,
    state,
    service: 'shop',
  });
  const browser = await startBrowser();
  stack.defer(async () => browser.close());
  const context = await newContext(browser, url);
  const owned = stack.move();
  return {
    server,
    bucket,
    browser,
    context,
    url,
    password: (await readFile(passwordFile, 'utf8')).trim(),
    restores: join(state, 'restores'),
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}
