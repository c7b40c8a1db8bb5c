import { installSystemPackages } from './run.ts';

/** The browser that the tests of the web drive: the distribution's own. @returns its path */
export async function ensureChromium(): Promise<string> {
  await installSystemPackages(['chromium']);
  return '/usr/bin/chromium';
}
