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

/** What axe finds, a line for each violation and element; and whether the page is wider than its window. */
export async function complaintsOf(page: Page): Promise<string[]> {
  // There are no frames, so it need not open a page of its own to put together what it found in each.
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] });
  const { violations } = await axe.analyze();
  const found = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(' ')}: ${failureSummary ?? ''}`),
  );
  const overflow = await page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  return overflow > 0 ? [...found, `the page is ${overflow} px wider than its window`] : found;
}
