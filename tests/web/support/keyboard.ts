import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** With the keyboard: goes to a field and types. */
export async function type(page: Page, label: string, text: string): Promise<void> {
  await page.getByLabel(label).focus();
  await page.keyboard.type(text);
}

/** With the keyboard: goes there and presses Enter. */
export async function press(page: Page, role: 'button' | 'link', name: string): Promise<void> {
  await page.getByRole(role, { name, exact: true }).focus();
  await page.keyboard.press('Enter');
}

/** With the keyboard: opens a list, types what is looked for, and takes it. */
export async function pick(page: Page, label: string, text: string): Promise<void> {
  const field = page.getByRole('combobox', { name: label });
  // Before its options are there, it takes no keys.
  await expect.poll(async () => field.isEnabled(), { timeout: 10_000 }).toBe(true);
  await field.focus();
  await page.keyboard.type(text);
  await page.getByRole('option', { name: text }).first().waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
}

export async function expectValue(page: Page, label: string | RegExp, value: RegExp): Promise<void> {
  await expect.poll(async () => page.getByLabel(label).first().inputValue(), { timeout: 10_000 }).toMatch(value);
}
