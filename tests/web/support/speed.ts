import { wide } from './browser.ts';
import type { Stage } from './stage.ts';

export interface FirstLoad {
  readonly tookMs: number;
  /** How many times longer than where nothing else runs a piece of work took at that moment; at least 1. */
  readonly slowness: number;
  readonly scriptBytes: number;
}

/** In a page: milliseconds that a piece of work took. */
const fixedWork = `(() => {
  const begun = performance.now();
  let value = 1;
  for (let step = 0; step < 1.2e7; step += 1) value = (Math.imul(value, 48271) + step) | 0;
  return performance.now() - begun + value * 0;
})()`;
/** It takes that where the figures of docs/performance.md were measured and nothing else runs. */
const usualMs = 120;

/** Opens the manager's address in a browser that was never there. */
export async function firstLoad({ browser, url }: Stage): Promise<FirstLoad> {
  const context = await browser.newContext({ baseURL: url, viewport: wide });
  const page = await context.newPage();
  const scripts: Promise<number>[] = [];
  page.on('requestfinished', (request) => {
    if (request.resourceType() === 'script')
      scripts.push(request.sizes().then(({ responseBodySize }) => responseBodySize));
  });
  const begun = performance.now();
  await page.goto('/');
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  const tookMs = performance.now() - begun;
  const slowness = Math.max(1, (await page.evaluate<number>(fixedWork)) / usualMs);
  process.stdout.write(
    `first page after ${Math.round(tookMs)} ms, on a machine ${slowness.toFixed(1)} times slower than usual\n`,
  );
  const sizes = await Promise.all(scripts);
  await context.close();
  return { tookMs, slowness, scriptBytes: sizes.reduce((sum, each) => sum + each, 0) };
}

/** In the page: milliseconds between changes of what is shown of the bytes, from the first one until the step is another. */
export const watchProgress = `new Promise((resolve) => {
  const gaps = [];
  let last = undefined, shown = undefined;
  const look = () => {
    const bar = document.querySelector('main [role=progressbar]');
    const ended = /Succeeded|Failed/.test(document.querySelector('main header')?.textContent ?? '');
    if (ended) return resolve(gaps);
    const text = bar?.closest('section, li, div')?.textContent + (bar?.getAttribute('aria-valuenow') ?? '');
    if (bar && text !== shown) {
      if (last !== undefined) gaps.push(performance.now() - last);
      [shown, last] = [text, performance.now()];
    }
    if (!bar && last !== undefined) return resolve(gaps);
    setTimeout(look, 20);
  };
  look();
})`;
