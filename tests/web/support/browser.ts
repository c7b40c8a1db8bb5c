import { setTimeout as sleep } from 'node:timers/promises';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { ensureChromium } from '../../../scripts/setup/chromium.ts';

const switches = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

export async function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: await ensureChromium(), args: switches, headless: true });
}

export const wide = { width: 1280, height: 860 } as const;
export const narrow = { width: 360, height: 740 } as const;

export interface Look {
  readonly scheme: 'light' | 'dark';
  readonly size: { readonly width: number; readonly height: number };
}

export const looks: readonly Look[] = [
  { scheme: 'light', size: wide },
  { scheme: 'dark', size: wide },
  { scheme: 'light', size: narrow },
  { scheme: 'dark', size: narrow },
];

export async function newContext(browser: Browser, baseURL: string): Promise<BrowserContext> {
  return browser.newContext({ baseURL, viewport: wide, reducedMotion: 'reduce', timezoneId: 'UTC', locale: 'en-GB' });
}

export async function putOn(page: Page, { scheme, size }: Look): Promise<void> {
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
  await page.setViewportSize(size);
}

/** What is wrong at an address in all looks, a line each. Closes the page. */
export async function complaintsAt(page: Page, path: string): Promise<string[]> {
  await page.goto(path);
  await page.getByRole('heading', { level: 1 }).first().waitFor();
  await page.waitForLoadState('networkidle').catch(() => undefined);
  const found: string[] = [];
  for (const look of looks) {
    await putOn(page, look);
    const complaints = await complaintsOf(page);
    found.push(...complaints.map((each) => `${path} ${look.scheme} ${look.size.width}: ${each}`));
  }
  await page.close();
  return found;
}

/** What axe finds, a line for each violation and element; and whether the page stays wider than its window. */
export async function complaintsOf(page: Page): Promise<string[]> {
  // There are no frames, so it need not open a page of its own to put together what it found in each.
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] });
  const { violations } = await axe.analyze();
  const found = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(' ')}: ${failureSummary ?? ''}`),
  );
  const overflow = await lastingOverflow(page);
  return overflow > 0 ? [...found, `the page is ${overflow} px wider than its window`] : found;
}

/** In pixels. A page that was made narrower needs a moment to lay itself out again. */
async function lastingOverflow(page: Page): Promise<number> {
  const deadline = performance.now() + 5_000;
  for (;;) {
    const overflow = await page.evaluate<number>(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    if (overflow <= 0 || performance.now() > deadline) return overflow;
    await sleep(100);
  }
}
