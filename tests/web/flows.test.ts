import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { mapConcurrently } from '../../src/lib/concurrently.ts';
import { atBest } from '../support/at-best.ts';
import { complaintsAt, narrow, putOn, wide } from './support/browser.ts';
import { expectValue, Keyboard } from './support/keyboard.ts';
import { everyPage, picture, typeLocation, untilState } from './support/pages.ts';
import { firstLoad, watchProgress } from './support/speed.ts';
import { openStage, type Stage } from './support/stage.ts';

/** What people do, in their order, in a real browser on a real server and a real store: all of it by keyboard alone. */

const stack = new AsyncDisposableStack();
let stage: Stage;
let page: Page;
let keys: Keyboard;
const troubles: string[] = [];

beforeAll(async () => {
  stage = stack.use(await openStage());
  page = await newPage();
  keys = new Keyboard(page);
});
afterAll(() => stack.disposeAsync());

async function newPage(): Promise<Page> {
  const made = await stage.context.newPage();
  made.on('pageerror', (error) => troubles.push(error.message));
  made.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('Failed to load resource'))
      troubles.push(message.text());
  });
  return made;
}

describe('a person at the pages of the manager', () => {
  let failedStep: string | undefined;
  // Each step goes on from the one before.
  beforeEach(({ task, skip, onTestFailed }) => {
    if (failedStep !== undefined) skip(`it goes on from a step that failed: ${failedStep}`);
    onTestFailed(() => void (failedStep = task.name));
  });

  test('a wrong password is refused in plain words, the right one leads to an empty list that teaches', async () => {
    await page.goto('/sign-in');
    await keys.type(/^Password/, 'not the password');
    await keys.press('button', 'Sign in');
    await page.getByRole('alert').first().waitFor();
    await keys.type(/^Password/, stage.password);
    await keys.press('button', 'Sign in');
    await page.getByText('No backups yet').waitFor();
  });

  test('the first password is changed', async () => {
    await keys.press('link', 'Change password');
    await keys.type('Password now', stage.password);
    await keys.type(/^New password \*?$/, 'a better one for tests');
    await keys.type('New password again', 'a better one for tests');
    await keys.press('button', 'Change password');
    await page.getByText('It is changed.').waitFor();
  });

  test('what is in the way of removing is said; what is removed is gone', async () => {
    await page.goto('/services/shop');
    await page.getByText('Online').first().waitFor();
    await keys.press('button', 'Remove service');
    await keys.confirm('shop', 'Remove service');
    await page.getByText('No services yet').waitFor();
  });

  test('a form without service and location leads to both and comes back as it was', async () => {
    await page.goto('/backups/-/new');
    await page.getByRole('heading', { name: 'Create Backup' }).waitFor();
    await keys.type('Backup name', 'by-keyboard');
    await keys.press('link', 'Add a service');
    await page.getByRole('heading', { name: 'Add a service' }).waitFor();
    await keys.pick('Agent', 'shop');
    await expectValue(page, /^Name/, /^shop$/);
    await keys.type('Cluster label', 'shop');
    await keys.press('button', 'Add service');
    await page.getByRole('heading', { name: 'Create Backup' }).waitFor();
    await expectValue(page, 'Backup name', /^by-keyboard$/);
    await expectValue(page, 'Service name', /^shop/);
    await keys.press('link', 'Add a storage location');
    await page.getByRole('heading', { name: 'Add a storage location' }).waitFor();
    await typeLocation(keys, stage, 's3');
    await keys.press('button', 'Test');
    await page.getByRole('heading', { name: 'What the test found' }).waitFor();
    await keys.press('button', 'Add storage location');
    await page.getByRole('heading', { name: 'Create Backup' }).waitFor();
    await expectValue(page, 'Backup name', /^by-keyboard$/);
    await expectValue(page, 'DB technology', /MariaDB 10\.11/);
    await expectValue(page, 'Data model', /Physical/);
    await expectValue(page, 'Folder', /^shop$/);
    await page.getByText('Ready to back up').waitFor();
    await picture(page, 'create-backup');
    await keys.press('button', 'Backup');
    await page.getByRole('heading', { name: 'by-keyboard', level: 1 }).waitFor();
    await untilState(page, 'Succeeded');
  });

  test('its page tells versions, positions, sizes and the log', async () => {
    for (const words of [/10\.11/, /binlog\.\d+/, /sealed/i]) await page.getByText(words).first().waitFor();
    await page.getByRole('log').getByText('completed OK!').first().waitFor();
    await keys.type('Search the log', 'completed OK!');
    await expect.poll(async () => page.getByRole('log').locator('span').count()).toBeLessThan(5);
    await page.getByRole('searchbox', { name: 'Search the log' }).fill('');
    await picture(page, 'backup');
    await page.setViewportSize(narrow);
    await picture(page, 'backup-narrow');
    await page.setViewportSize(wide);
  });

  test('a drill proves it', async () => {
    await keys.press('link', 'Start a drill');
    await keys.press('button', 'Start drill');
    await untilState(page, 'Succeeded');
    await picture(page, 'drill');
    await page.goto('/backups');
    await page
      .getByRole('row', { name: /by-keyboard/ })
      .getByText(/proven/i)
      .waitFor();
  });

  test('it is pinned from the list, and unpinned', async () => {
    const pin = page.getByRole('row', { name: /by-keyboard/ }).getByRole('img', { name: 'Pinned' });
    await keys.take('Actions for by-keyboard', 'Pin, so that it is kept');
    await pin.waitFor();
    await keys.take('Actions for by-keyboard', 'Unpin');
    await pin.waitFor({ state: 'detached' });
  });

  test('a restore into a directory asks what only a person can know, shows its plan, and does it', async () => {
    await page.goto('/restore/by-keyboard');
    await keys.choose('Into a directory');
    await keys.pick('Host', 'shop');
    await keys.press('button', 'Restore');
    await page.getByText('Choose one; only you can know.').first().waitFor();
    await keys.choose(/it is a copy/);
    await keys.choose(/replication stays stopped/);
    await page
      .getByText(/download/i)
      .first()
      .waitFor();
    await picture(page, 'restore');
    await keys.press('button', 'Restore');
    await page.waitForURL(/\/restores\//);
    await untilState(page, 'Succeeded');
    await page.getByText('What to do next').waitFor();
    expect(await readdir(join(stage.restores, 'by-keyboard'))).toContain('ibdata1');
  });

  test('a restore in place wants the name typed, and brings the rows back', async () => {
    await stage.server.query('DELETE FROM shop.customers WHERE id > 10');
    await page.goto('/restore/by-keyboard');
    await keys.choose('Back onto shop');
    await keys.choose(/keep the identity/);
    await keys.choose(/replication stays stopped/);
    await page
      .getByText(/stands still/i)
      .first()
      .waitFor();
    await keys.press('button', 'Restore');
    await keys.confirm('shop', 'Replace the data');
    await page.waitForURL(/\/restores\//);
    await untilState(page, 'Succeeded');
    await picture(page, 'restored');
    expect(await stage.server.query('SELECT COUNT(*) FROM shop.customers')).toEqual([['1000']]);
  });

  test('a backup that failed says why and what to do, and a retry ends it well', async () => {
    const buckets = stage.bucket.dir;
    await page.goto('/backups/-/new');
    await keys.pick('Service name', 'shop');
    await keys.type('Backup name', 'second');
    await keys.pick('Storage location', 's3');
    await page.getByText('Ready to back up').waitFor();
    await keys.press('button', 'Advanced Settings');
    await keys.choose('Manual');
    await rename(join(buckets, 'backups'), join(buckets, 'elsewhere'));
    await keys.press('button', 'Backup');
    await untilState(page, 'Failed');
    await page
      .getByText(/bucket/i)
      .first()
      .waitFor();
    await picture(page, 'failed');
    await rm(join(buckets, 'backups'), { recursive: true, force: true });
    await rename(join(buckets, 'elsewhere'), join(buckets, 'backups'));
    await keys.press('button', 'Try again');
    await untilState(page, 'Succeeded');
  });

  test('a service and a location are edited', async () => {
    await page.goto('/services/shop/edit');
    await keys.type('Cluster label', 'shop-cluster');
    await keys.press('button', 'Save');
    await page.getByRole('heading', { name: 'shop', level: 1 }).waitFor();
    await page.getByText('shop-cluster').first().waitFor();
    await page.goto('/locations/s3/edit');
    await keys.type('Description', 'for tests');
    await keys.press('button', 'Save');
    await page.getByRole('heading', { name: 's3', level: 1 }).waitFor();
    await page.getByText('for tests').first().waitFor();
  });

  test('a service and a location that are used say by whom, instead of being removed', async () => {
    await page.goto('/locations/s3');
    await keys.press('button', 'Remove storage location');
    await keys.confirm('s3', 'Remove storage location');
    await page
      .getByRole('dialog')
      .getByText(/in use: .*by-keyboard/)
      .waitFor();
  });

  test('deleting says what it frees, and wants the name typed', async () => {
    await page.goto('/backups/second');
    await keys.take('Actions for second', 'Delete');
    await page.getByRole('dialog').getByText(/Frees/).waitFor();
    await picture(page, 'delete');
    await keys.confirm('second', 'Delete backup');
    await page.locator('header [data-tone]', { hasText: /Delet/ }).first().waitFor();
  });
});

describe('the pages themselves', () => {
  // Of a machine that has nothing else to do.
  test('the first page is there within a second, with less than 250 kB of scripts', async () => {
    const shortest = await atBest(1_000, async () => {
      const { tookMs, slowness, scriptBytes } = await firstLoad(stage);
      expect(scriptBytes).toBeGreaterThan(50_000);
      expect(scriptBytes).toBeLessThan(250_000);
      return tookMs / slowness;
    });
    expect(shortest).toBeLessThan(1_000);
  });

  test('progress in the browser is at most a second old', { timeout: 400_000 }, async () => {
    let tries = 0;
    expect(await atBest(1_000, async () => oldestProgress(`slowly-${++tries}`))).toBeLessThan(1_000);
  });

  /** @returns the longest that the bytes of a backup did not move on its page, milliseconds */
  async function oldestProgress(name: string): Promise<number> {
    // Compressing takes most of the time, so that the bytes still move when the pictures of the list are taken.
    const more = { compression: 16, retry: { mode: 'manual' } };
    const data = { name, service: 'shop', location: 's3', folder: name, ...more };
    await page.goto('/backups');
    expect((await page.request.post('/api/v1/backups', { data })).status()).toBe(201);
    for (const scheme of ['light', 'dark'] as const) {
      await putOn(page, { scheme, size: wide });
      await page.getByRole('row', { name: /by-keyboard/ }).waitFor();
      await picture(page, scheme === 'light' ? 'backups' : 'backups-dark');
    }
    await putOn(page, { scheme: 'light', size: wide });
    await page.goto(`/backups/${name}`);
    const gaps = await page.evaluate<number[]>(watchProgress);
    expect(gaps.length).toBeGreaterThan(3);
    await untilState(page, 'Succeeded');
    return Math.max(...gaps);
  }

  test('what changes after a page was read and before it hears of changes is shown', async () => {
    const held = Promise.withResolvers<void>();
    await page.route('**/api/v1/events', async (route) => {
      await held.promise;
      await route.continue();
    });
    await page.goto('/services/shop');
    await page.getByText('Online').first().waitFor();
    const data = { description: 'changed while the page came' };
    expect((await page.request.patch('/api/v1/services/shop', { data })).status()).toBe(200);
    held.resolve();
    await page.getByText(data.description).waitFor();
    await page.unroute('**/api/v1/events');
  });

  test(
    'every page is without a complaint of axe, in light and dark, wide and narrow',
    { timeout: 300_000 },
    async () => {
      const found: string[] = [];
      await mapConcurrently(everyPage, 3, async (path) => {
        found.push(...(await complaintsAt(await newPage(), path)));
      });
      expect(found).toEqual([]);
    },
  );

  test('nothing was written to the console as an error', () => {
    expect(troubles).toEqual([]);
  });
});
