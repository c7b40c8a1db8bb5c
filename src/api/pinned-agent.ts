import { Agent, type AgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect, type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import { PermanentFailure } from '../lib/failure.ts';
import type { Peer } from './transport.ts';

/** How a server proves who it is. */
export type Trust =
  /** SHA-256 of its certificate in hexadecimal, with or without colons; names and authorities do not matter then. */
  | { readonly fingerprint: string }
  /** PEM of the authority, or of the certificate itself; its names must fit the URL. */
  | { readonly ca: string };

/**
 * Connections over TLS that are handed over only when the certificate is the pinned one, so that not even the token goes to
 * another server. With an authority, Node's own rules decide.
 */
export function trustingAgent(trust: Trust, peer: Peer = 'agent'): Agent {
  const options: AgentOptions = { keepAlive: true, maxSockets: 16, timeout: idleMs[peer] };
  if ('ca' in trust) return new Agent({ ...options, minVersion, ca: trust.ca });
  return new PinnedAgent({ fingerprint: plain(trust.fingerprint), peer }, options);
}

const minVersion = 'TLSv1.2';
/**
 * A connection that nobody uses for so long is closed: a manager has a thousand agents and seldom calls most of them, while an
 * agent is heard by its manager every 40 seconds.
 */
const idleMs: Readonly<Record<Peer, number>> = { agent: 20_000, manager: 70_000 };
let sharedContext: SecureContext | undefined;

/** The same for all: a manager has a connection to each of a thousand agents, and contexts of their own cost 50 kB each. */
function pinnedContext(): SecureContext {
  sharedContext ??= createSecureContext({ minVersion });
  return sharedContext;
}

class PinnedAgent extends Agent {
  readonly #fingerprint: string;
  readonly #peer: Peer;

  constructor({ fingerprint, peer }: { fingerprint: string; peer: Peer }, options: AgentOptions) {
    // A session that was resumed would come without the certificate.
    super({ ...options, maxCachedSessions: 0 });
    this.#fingerprint = fingerprint;
    this.#peer = peer;
  }

  override createConnection(
    options: ConnectionOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const socket = connect({ ...options, rejectUnauthorized: false, secureContext: pinnedContext() });
    const onError = (error: Error): void => callback?.(error, socket);
    socket.once('error', onError);
    socket.once('secureConnect', () => {
      socket.off('error', onError);
      const found = plain(socket.getPeerCertificate().fingerprint256 ?? '');
      if (found === this.#fingerprint) return callback?.(null, socket);
      // Whoever gets the error has no use for what the socket says later.
      socket.on('error', () => undefined);
      socket.destroy();
      return callback?.(otherCertificate(this.#peer, options, found), socket);
    });
    return undefined;
  }
}

function plain(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}

function otherCertificate(peer: Peer, { host, port }: ConnectionOptions, found: string): PermanentFailure {
  return new PermanentFailure(
    `${peer}-not-trusted`,
    `Cannot talk to the ${peer} at ${host ?? ''}:${port ?? ''} as its certificate is not the expected one: its fingerprint is ${found}`,
    {
      nextStep: `Compare it with the fingerprint that the ${peer} printed when it started. If they are equal, use that one; if not, someone is between.`,
    },
  );
}
