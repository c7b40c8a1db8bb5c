import { truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ensureMariadbSid, type MariadbTools } from '../../scripts/setup/mariadb.ts';
import { run } from '../../scripts/setup/run.ts';
import { until } from '../support/agents.ts';
import type { RestartableServer } from '../support/restartable-server.ts';
import { complaintsOf, newContext } from './support/browser.ts';
import { type FleetStage, type Host, openFleetStage, startServer } from './support/fleet-stage.ts';
import { Keyboard } from './support/keyboard.ts';
import { everyPage, signIn, untilState } from './support/pages.ts';

/** What people see when something goes wrong, and with several servers and several roles. */

const stack = new AsyncDisposableStack();
let stage: FleetStage;
let page: Page;
let shop: RestartableServer;
let branch: RestartableServer;
/** Beside a server of a later release; undefined where none can be had. */
let later: MariadbTools | undefined;
const rows = 30_000;
const troubles: string[] = [];

beforeAll(async () => {
  later = await ensureMariadbSid();
  const starting = later === undefined ? Promise.resolve(undefined) : startServer(10, later.bin);
  const [one, other, newer] = await Promise.all([startServer(rows), startServer(10), starting]);
  for (const server of [one, other, newer]) stack.use(server);
  [shop, branch] = [one, other];
  const hosts: Host[] = [
    { name: 'shop', server: shop, mayRestoreInPlace: true },
    { name: 'branch', server: branch, mayRestoreInPlace: true },
    { name: 'reports', server: branch, mayRestoreInPlace: false },
    { name: 'by-hand', server: shop, mayRestoreInPlace: true, isByHand: true },
  ];
  if (newer !== undefined) hosts.push({ name: 'newer', server: newer, mayRestoreInPlace: true, ...later });
  stage = stack.use(await openFleetStage(hosts));
  page = await (await newContext(stage.browser, stage.manager.manager.url)).newPage();
  page.setDefaultTimeout(60_000);
  page.on('pageerror', (error) => troubles.push(error.message));
});
afterAll(() => stack.disposeAsync());

const storeIsDown = { fault: { kind: 'answer', status: 503 } } as const;

interface Wanted {
  readonly service?: string;
  readonly retries?: number;
  readonly folder?: string;
}

async function startBackup(name: string, { service = 'shop', retries, folder = service }: Wanted = {}) {
  const retry = retries === undefined ? { mode: 'manual' } : { mode: 'auto', retries, intervalSeconds: 600 };
  const data = { name, service, location: 's3', folder, retry };
  const answer = await page.request.post('/api/v1/backups', { data });
  expect(answer.status()).toBe(201);
  await page.goto(`/backups/${name}`);
}

/** Once a plan says that it can be. */
async function replaceData(service: string): Promise<void> {
  await page.getByText('It can be done').waitFor();
  await page.getByRole('radio', { name: /it is a copy/ }).check();
  await page.getByRole('radio', { name: /replication stays stopped/ }).check();
  await page.getByRole('button', { name: 'Restore', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').fill(service);
  await dialog.getByRole('button', { name: 'Replace the data' }).click();
  await page.waitForURL(/\/restores\//);
}

describe('when something goes wrong', () => {
  let failedStep: string | undefined;
  // Most steps go on from the one before.
  beforeEach(({ task, skip, onTestFailed }) => {
    stage.store.setRules();
    if (failedStep !== undefined) skip(`it goes on from a step that failed: ${failedStep}`);
    onTestFailed(() => void (failedStep = task.name));
  });

  test('a backup whose store fails says why, and when which attempt comes; it need not be waited for', async () => {
    await signIn(page, stage.manager.password);
    stage.store.setRules(storeIsDown);
    await startBackup('auto', { retries: 2 });
    await untilState(page, 'Waiting');
    await page.getByRole('heading', { name: 'Attempt 1 of 3 failed' }).waitFor();
    await page.getByText(/Attempt 2 begins by itself in (10 min|9 min \d+ s)/).waitFor();
    await page
      .getByText(/the store answers 503/)
      .first()
      .waitFor();
    const before = await page.getByRole('log').locator('span').count();
    stage.store.setRules();
    await page.getByRole('button', { name: 'Try again now' }).click();
    await untilState(page, 'Succeeded');
    await page.getByRole('log').getByText('Succeeded').waitFor();
    expect(await page.getByRole('log').locator('span').count()).toBeGreaterThan(before);
    await page.getByRole('heading', { name: 'Attempts' }).waitFor();
    await page.getByText('Why it failed').waitFor();
  });

  test('a wrong password ends it at once; once that is mended, it is tried again and its log goes on', async () => {
    await shop.query("ALTER USER agent@localhost IDENTIFIED BY 'another'");
    await startBackup('denied', { retries: 2 });
    await untilState(page, 'Failed');
    await page
      .getByText(/the server refused the user/)
      .first()
      .waitFor();
    await page.getByText(/not tried again by itself/).waitFor();
    // Who comes to it later finds a log that has ended.
    await page.reload();
    await page.getByRole('log').getByText('holdfast: Failed').waitFor();
    await shop.query("ALTER USER agent@localhost IDENTIFIED BY ''");
    await page.getByRole('button', { name: 'Try again' }).click();
    await untilState(page, 'Succeeded');
    await page.getByRole('log').getByText('completed OK!').first().waitFor();
  });

  test('a manager that is started again while a backup uploads: the page says so, heals, and the backup is cancelled', async () => {
    stage.store.setRules({ path: '.segment', fault: { kind: 'delay', ms: 100_000 } });
    await startBackup('cancelled', { retries: 2, folder: 'another' });
    await page.getByRole('log').getByText('step uploading').waitFor();
    await stage.manager.restart(async () => page.getByText('Not live').waitFor());
    await page.getByText('Not live').waitFor({ state: 'hidden' });
    await untilState(page, 'Running');
    const keys = new Keyboard(page);
    await keys.press('button', 'Cancel');
    await keys.press('button', 'Cancel backup');
    await untilState(page, 'Cancelled');
    // The log goes on, over the connection that was lost.
    await page.getByRole('log').getByText('Cancelled').waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(await page.getByRole('button', { name: /Cancel|Try again/ }).count()).toBe(0);
  });

  test('a restore onto another service: why others cannot be chosen, the plan, the steps, what to do next', async () => {
    const apart = dirname(branch.dataDirectory);
    await branch.query(
      `CREATE TABLE shop.away (id INT) ENGINE=Aria DATA DIRECTORY='${apart}' INDEX DIRECTORY='${apart}'`,
    );
    await page.goto('/restore/auto');
    await page.getByRole('radio', { name: 'Onto another service' }).check();
    const reports = page.getByRole('radio', { name: 'reports' });
    expect(await reports.isDisabled()).toBe(true);
    await page.getByText('The agent reports may not replace the data of its server.').waitFor();
    // An agent that has just been found again can be chosen without loading the page anew.
    await page.getByRole('radio', { name: 'branch' }).check();
    await page.getByText('The server of branch is stopped.').waitFor();
    // One of its tables is in no backup: nothing goes on before someone says that it may be missing.
    await page.getByText(/Aria tables behind symbolic links .*away\.MAD/).waitFor();
    await page.getByText('It cannot be done like this').waitFor();
    expect(await page.getByRole('button', { name: 'Restore', exact: true }).isDisabled()).toBe(true);
    expect(await complaintsOf(page)).toEqual([]);
    await page.getByLabel('These tables may be missing from branch afterwards').check();
    await page.getByText('It can be done').waitFor();
    await replaceData('branch');
    await page.getByRole('list', { name: 'Steps of this restore' }).waitFor();
    await untilState(page, 'Succeeded');
    await page.getByText('branch runs on the restored data.').waitFor();
    await page.getByText('The old data is kept in').waitFor();
    await page.getByText('a new one').waitFor();
    expect(await branch.query('SELECT COUNT(*) FROM shop.customers')).toEqual([[String(rows)]]);
  });

  test('a server of a later release can be chosen, and what an upgrade means is said; the way back cannot be chosen', async ({
    skip,
  }) => {
    if (later === undefined) skip('a second release of MariaDB can be had on Debian only');
    await startBackup('of-newer', { service: 'newer' });
    await untilState(page, 'Succeeded');
    await page.goto('/restore/of-newer');
    await page.getByRole('radio', { name: 'Onto another service' }).check();
    expect(await page.getByRole('radio', { name: 'branch' }).isDisabled()).toBe(true);
    await page
      .getByText(/A restore from MariaDB 1[1-9]\.\d+\.\d+ to MariaDB 10\.11\.\d+ would be a downgrade/)
      .first()
      .waitFor();
    expect(await complaintsOf(page)).toEqual([]);
    await page.goto('/restore/auto');
    await page.getByRole('radio', { name: 'Onto another service' }).check();
    await page.getByRole('radio', { name: 'newer' }).check();
    await page.getByText('Run mariadb-upgrade when the server is up').waitFor();
    await page.getByText('It can be done').waitFor();
    expect(await complaintsOf(page)).toEqual([]);
    await replaceData('newer');
    await untilState(page, 'Succeeded');
    await page.getByText('mariadb-upgrade').first().waitFor();
    const steps = page.getByRole('list', { name: 'Steps of this restore' }).getByRole('listitem');
    expect((await steps.allTextContents()).slice(-3)).toEqual([
      expect.stringMatching(/Stop the server.*s$/),
      expect.stringMatching(/Move into place.*s$/),
      expect.stringMatching(/Start the server.*s$/),
    ]);
  });

  test('a server that is down is restored: damaged, it is started; stopped by hand, a person starts it', async () => {
    await shop.query('DELETE FROM shop.customers');
    await shop.kill();
    await truncate(join(shop.dataDirectory, 'ibdata1'), 1000);
    await page.goto('/services/shop');
    await page.getByText('Down').first().waitFor();
    await page.goto('/restore/auto');
    await page.getByRole('radio', { name: 'Back onto shop' }).check();
    await page.getByText(/The server does not answer, so this goes by what it was as last seen at /).waitFor();
    expect(await complaintsOf(page)).toEqual([]);
    await replaceData('shop');
    await untilState(page, 'Succeeded');
    await page.getByText('shop runs on the restored data.').waitFor();
    expect(await count()).toEqual([[String(rows)]]);

    await shop.query('DELETE FROM shop.customers');
    await run('/bin/sh', [shop.stopCommand]);
    await page.goto('/restore/auto');
    await page.getByRole('radio', { name: 'Onto another service' }).check();
    await page.getByRole('radio', { name: 'by-hand' }).check();
    await page.getByText('Start it yourself when the restore has ended.').waitFor();
    expect(await page.getByText('The server of by-hand is stopped.').count()).toBe(0);
    await replaceData('by-hand');
    await untilState(page, 'Succeeded');
    await page.getByText('The data of by-hand is restored. Start its server.').waitFor();
    await run('/bin/sh', [shop.startCommand]);
    await until(async () =>
      count().then(
        () => true,
        () => false,
      ),
    );
    expect(await count()).toEqual([[String(rows)]]);

    async function count(): Promise<string[][]> {
      return shop.query('SELECT COUNT(*) FROM shop.customers');
    }
  });

  test('a viewer and an operator are offered what they may do, and nothing breaks on any page', async () => {
    await Promise.all([looksAround('viewer'), looksAround('operator')]);
  });

  test('no page threw', () => {
    expect(troubles).toEqual([]);
  });
});

/** Someone of that role, by a token: so far nobody but `admin` can sign in. */
async function looksAround(role: 'viewer' | 'operator'): Promise<void> {
  await using owned = new AsyncDisposableStack();
  const context = await newContext(stage.browser, stage.manager.manager.url);
  owned.defer(async () => context.close());
  await context.setExtraHTTPHeaders({ authorization: `Bearer ${await stage.token(role)}` });
  context.on('weberror', (error) => troubles.push(error.error().message));
  const refusals: string[] = [];
  context.on('response', (response) => {
    if (response.status() === 403) refusals.push(`${response.request().method()} ${response.url()}`);
  });
  const pages =
    role === 'viewer' ? everyPage : ['/backups/-/new', '/drills?start=by-keyboard', '/services/shop', '/locations/s3'];
  const paths = pages.map((path) => path.replace('by-keyboard', 'auto'));
  // Each keeps a connection for events open, of which a browser has few.
  const tabs = await Promise.all([context.newPage(), context.newPage(), context.newPage()]);
  await Promise.all(tabs.map(async (tab) => opensAll(tab, paths)));
  expect(refusals).toEqual([]);
  const [looker] = tabs;
  const isOperator = role === 'operator';
  await looker.goto('/backups');
  await looker.getByRole('row', { name: /auto/ }).waitFor();
  expect(await looker.getByRole('link', { name: 'Create Backup' }).count()).toBe(isOperator ? 1 : 0);
  expect(await looker.getByRole('button', { name: 'Actions for auto' }).count()).toBe(isOperator ? 1 : 0);
  await looker.goto('/locations/s3/edit');
  await looker.getByRole('heading', { name: 'This takes the role admin' }).waitFor();
  await looker.goto('/restore/auto');
  await looker.getByRole('heading', { name: isOperator ? 'Restore auto' : 'This takes the role operator' }).waitFor();
  const forbidden = isOperator ? '/api/v1/locations/s3' : '/api/v1/backups/auto?confirm=auto';
  const answer = await looker.request.delete(forbidden);
  expect(answer.status()).toBe(403);
  expect(await answer.json()).toMatchObject({
    error: { code: 'not-allowed', message: expect.stringContaining(`yours is ${role}`) },
  });
}

/** Takes from the list until nothing is left. */
async function opensAll(tab: Page, paths: string[]): Promise<void> {
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    await tab.goto(path);
    await tab.getByRole('heading', { level: 1 }).first().waitFor();
    await tab.waitForLoadState('networkidle');
    expect({ path, alerts: await tab.getByRole('alert').allTextContents() }).toEqual({ path, alerts: [] });
  }
}
