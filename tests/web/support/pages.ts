import { mkdir } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import type { Keyboard } from './keyboard.ts';
import type { Stage } from './stage.ts';

/** What people do on the pages, by the words that they read there. */

/** Addresses of all pages and dialogs, once there is a backup `by-keyboard` of service `shop` in location `s3`. */
export const everyPage = [
  '/backups',
  '/backups/-/new',
  '/backups/by-keyboard',
  '/restore/by-keyboard',
  '/restores',
  '/drills',
  '/drills?start=by-keyboard',
  '/services',
  '/services/-/new',
  '/services/shop',
  '/services/shop/edit',
  '/locations',
  '/locations/-/new',
  '/locations/s3',
  '/locations/s3/edit',
  '/agents',
  '/agents/-/new',
  '/agents/shop',
  '/account',
  '/nowhere',
];

export async function signIn(page: Page, password: string): Promise<void> {
  await page.goto('/sign-in');
  await page.getByLabel(/^Password/).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'All Backups', level: 1 }).waitFor();
}

/** Waits until the page's own mark says so. */
export async function untilState(page: Page, state: string, limitMs = 120_000): Promise<void> {
  await page.locator('header [data-tone]', { hasText: state }).first().waitFor({ timeout: limitMs });
}

/** By keyboard: the form for a bucket with a passphrase. */
export async function typeLocation(keys: Keyboard, { bucket }: Stage, name: string): Promise<void> {
  await keys.type(/^Name/, name);
  await keys.type(/^Bucket/, 'backups');
  await keys.type('Endpoint', bucket.endpoint);
  await keys.check("The bucket's name goes into the path");
  await keys.type(/^Access key/, bucket.accessKey);
  await keys.type(/^Secret key/, bucket.secretKey);
  await keys.type(/^Passphrase \*?$/, 'a passphrase for tests');
  await keys.type(/^Passphrase again/, 'a passphrase for tests');
}

/** For the README and the documentation, where someone asks for them: HOLDFAST_SCREENSHOTS names the folder. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['HOLDFAST_SCREENSHOTS'];
  if (folder === undefined || folder === '') return;
  await mkdir(folder, { recursive: true });
  await page.evaluate('scrollTo(0, 0)');
  await page.screenshot({ path: `${folder}/${name}.png`, animations: 'disabled' });
}
