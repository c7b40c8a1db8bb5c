import type { Vendor } from '../engine/engine.ts';
import type { Sealed } from '../repository/documents.ts';

/** The server that a backup was taken of. */
export function serverOf(sealed: Sealed): { readonly vendor: Vendor; readonly version: string } {
  return { vendor: sealed.source.vendor, version: sealed.source.serverVersion };
}
