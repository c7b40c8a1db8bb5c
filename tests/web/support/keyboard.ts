import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

/** More steps than any page has places to stop at. */
const mostSteps = 300;

const textFields = 'textarea, input:not([type=radio], [type=checkbox])';

type Words = string | RegExp;

/** A person without a mouse: everything is gone to with the Tab key, so what cannot be reached like that cannot be used here. */
export class Keyboard {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Goes to a field and types over what is there. */
  async type(label: Words, text: string): Promise<void> {
    await this.reach(this.#page.getByLabel(label).and(this.#page.locator(textFields)).first());
    await this.#page.keyboard.press('ControlOrMeta+a');
    await this.#page.keyboard.type(text);
  }

  async press(role: 'button' | 'link', name: Words): Promise<void> {
    await this.reach(this.#page.getByRole(role, { name, exact: true }).first());
    await this.#page.keyboard.press('Enter');
  }

  /** Opens a menu and takes one of its entries. */
  async take(menu: string, entry: string): Promise<void> {
    await this.press('button', menu);
    const item = this.#page.getByRole('menuitem', { name: entry, exact: true });
    await item.waitFor();
    await this.#step('ArrowDown', item);
    await this.#page.keyboard.press('Enter');
  }

  /** Opens a list, types what is looked for, and takes it. */
  async pick(label: Words, text: string): Promise<void> {
    const field = this.#page.getByRole('combobox', { name: label });
    // Before its options are there, it takes no keys.
    await expect.poll(async () => field.isEnabled(), { timeout: 60_000 }).toBe(true);
    await this.reach(field);
    await this.#page.keyboard.press('ControlOrMeta+a');
    await this.#page.keyboard.type(text);
    await this.#page.getByRole('option', { name: text }).first().waitFor();
    await this.#page.keyboard.press('ArrowDown');
    await this.#page.keyboard.press('Enter');
  }

  /** One of several: Tab stops once at a group, the arrows go from one to the next. */
  async choose(name: Words): Promise<void> {
    const radio = this.#page.getByRole('radio', { name });
    await radio.waitFor();
    const group = this.#page.getByRole('radiogroup').filter({ has: radio });
    await this.#step('Tab', group.locator('input'));
    await this.#step('ArrowDown', radio);
    if (!(await radio.isChecked())) await this.#page.keyboard.press('Space');
    expect(await radio.isChecked()).toBe(true);
  }

  /** In a dialog that wants a name typed before its button can be pressed. */
  async confirm(name: string, button: string): Promise<void> {
    const dialog = this.#page.getByRole('dialog');
    const confirm = dialog.getByRole('button', { name: button });
    expect(await confirm.isDisabled()).toBe(true);
    await this.reach(dialog.getByRole('textbox'));
    await this.#page.keyboard.type(name);
    await this.reach(confirm);
    await this.#page.keyboard.press('Enter');
  }

  async check(name: Words): Promise<void> {
    const box = this.#page.getByRole('checkbox', { name });
    await this.reach(box);
    if (!(await box.isChecked())) await this.#page.keyboard.press('Space');
    expect(await box.isChecked()).toBe(true);
  }

  async reach(target: Locator): Promise<void> {
    await target.waitFor();
    await this.#step('Tab', target);
  }

  /** Presses the key until the focus is on one of these. */
  async #step(key: string, targets: Locator): Promise<void> {
    const focused = targets.and(this.#page.locator(':focus'));
    for (let steps = 0; (await focused.count()) === 0; steps += 1) {
      if (steps === mostSteps) throw new Error(`cannot be reached by keyboard: ${String(targets)}`);
      await this.#page.keyboard.press(key);
    }
  }
}

export async function expectValue(page: Page, label: string | RegExp, value: RegExp): Promise<void> {
  await expect.poll(async () => page.getByLabel(label).first().inputValue(), { timeout: 60_000 }).toMatch(value);
}
