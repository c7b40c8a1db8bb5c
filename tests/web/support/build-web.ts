import { buildWeb } from '../../../scripts/build-web.ts';
import { ensureChromium } from '../../../scripts/setup/chromium.ts';

/** Before the tests of the web: the browser is there, and the pages are built from what is in the tree. */
export async function setup(): Promise<void> {
  await ensureChromium();
  // As users get it, not as the test runner would have it.
  process.env['NODE_ENV'] = 'production';
  await buildWeb();
}
