import { build } from 'vite';
import { ensureChromium } from '../../../scripts/setup/chromium.ts';

/** Before the tests of the web: the browser is there, and the pages are built from what is in the tree. */
export async function setup(): Promise<void> {
  await ensureChromium();
  await build({ logLevel: 'warn' });
}
