export interface ReturnTo {
  /** A page of this program to go back to when what was missing is there. */
  readonly returnTo?: string;
}

/** Of an address that anyone may have typed. */
export function parseReturnTo(search: Record<string, unknown>): ReturnTo {
  const returnTo = safeReturn(search['returnTo']);
  return returnTo === undefined ? {} : { returnTo };
}

/** Only ways within these pages: never another origin. */
export function safeReturn(page: unknown): string | undefined {
  if (typeof page !== 'string' || !/^\/(?![/\\])/.test(page)) return undefined;
  // A browser drops tabs and line ends, so that what follows them could become a host.
  return /[\p{Cc}\\]/u.test(page) ? undefined : page;
}

/** Goes back with the name of what was made, e.g. `{ service: 'orders' }`, for the form to choose it. */
export function returnWith(page: string, made: Readonly<Record<string, string>>): string {
  const { pathname, searchParams } = new URL(page, 'http://here');
  for (const [name, value] of Object.entries(made)) searchParams.set(name, value);
  return `${pathname}?${searchParams}`;
}
