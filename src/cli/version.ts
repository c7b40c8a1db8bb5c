import { readFileSync } from 'node:fs';

declare const __HOLDFAST_VERSION__: string;

/** The bundle has its version built in; sources read the one of their package. */
export function programVersion(): string {
  if (typeof __HOLDFAST_VERSION__ === 'string') return __HOLDFAST_VERSION__;
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return version;
}
