import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Licences whose code may be part of a work under Apache-2.0, as SPDX spells them. */
const COMPATIBLE = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Unlicense',
  'Zlib',
]);

interface BundledPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly text: string;
}

/**
 * The licences of all packages that the bundled files come from, with their texts. Throws when one of them may not be part
 * of a work under Apache-2.0.
 */
export async function thirdPartyNotices(bundledFiles: readonly string[]): Promise<string> {
  const packages = await Promise.all([...packageFolders(bundledFiles)].toSorted().map(readPackage));
  const refused = packages.filter(({ license }) => !isCompatible(license));
  if (refused.length > 0) {
    const names = refused.map(({ name, license }) => `${name} (${license})`).join(', ');
    throw new Error(`Cannot bundle packages whose licence does not go with Apache-2.0: ${names}`);
  }
  const rule = '-'.repeat(80);
  const entries = packages.map(
    ({ name, version, license, text }) => `${name} ${version}: ${license}\n\n${text.trim()}\n`,
  );
  return ['Holdfast contains the following packages.\n', ...entries].join(`\n${rule}\n\n`);
}

function packageFolders(files: readonly string[]): Set<string> {
  const folder = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;
  return new Set(files.flatMap((file) => folder.exec(file)?.[1] ?? []));
}

async function readPackage(folder: string): Promise<BundledPackage> {
  const { name, version, license }: Record<string, unknown> = JSON.parse(
    await readFile(join(folder, 'package.json'), 'utf8'),
  );
  const paper = (await readdir(folder)).find((file) => /^(licen[cs]e|copying)/i.test(file));
  const text =
    paper === undefined ? '(The package brings no licence text.)' : await readFile(join(folder, paper), 'utf8');
  return { name: String(name), version: String(version), license: String(license), text };
}

/** `(MIT OR GPL-2.0)` needs one compatible choice, `MIT AND ISC` all of them. */
function isCompatible(expression: string): boolean {
  const choices = expression.replaceAll(/[()]/g, '').split(' OR ');
  return choices.some((choice) => choice.split(' AND ').every((license) => COMPATIBLE.has(license.trim())));
}
