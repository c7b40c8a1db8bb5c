import { InvalidRequest, PermanentFailure } from '../lib/failure.ts';

/** What a browser tells of where a request came from. */
export interface Provenance {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** Header `Sec-Fetch-Site`. */
  readonly fetchSite: string | undefined;
}

export interface OriginRules {
  /** Where it listens on this host alone: names by which it may be called. Undefined: any. */
  readonly hosts: readonly string[] | undefined;
  /** Where people reach it through a proxy, e.g. `https://backups.example.net`. */
  readonly publicUrl: string | undefined;
}

const harmless = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses what another web site makes a browser ask. A page whose name was pointed at this host (DNS rebinding) is found by
 * the name that it calls; one that only sends something here by what browsers say of where it came from.
 * @throws InvalidRequest `unknown-host`; PermanentFailure `cross-site`
 */
export function refuseOtherSites(request: Provenance, rules: OriginRules): void {
  refuseUnknownHost(request.host, rules);
  if (harmless.has(request.method)) return;
  if (request.fetchSite !== undefined && !['same-origin', 'none'].includes(request.fetchSite)) throw crossSite();
  if (request.origin === undefined) return;
  const isOwn = hostOf(request.origin) === request.host?.toLowerCase() || request.origin === originOf(rules.publicUrl);
  if (!isOwn) throw crossSite();
}

function refuseUnknownHost(host: string | undefined, { hosts, publicUrl }: OriginRules): void {
  if (hosts === undefined) return;
  const name = nameOf(host);
  if (name !== undefined && [...hosts, nameOf(hostOf(publicUrl))].includes(name)) return;
  throw new InvalidRequest('unknown-host', `Cannot answer this request as it is for another host: ${name ?? 'none'}`, {
    nextStep: 'Where a proxy stands before the manager, name its address as `publicUrl` in the configuration.',
  });
}

/** Without its port. */
function nameOf(host: string | undefined): string | undefined {
  return host?.toLowerCase().replace(/:\d+$/, '');
}

function hostOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : URL.parse(url)?.host;
}

function originOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : URL.parse(url)?.origin;
}

function crossSite(): PermanentFailure {
  return new PermanentFailure('cross-site', 'Cannot answer this request as another web site sent it');
}
