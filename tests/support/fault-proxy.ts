import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { actOnBody, type BodyFault } from './fault-body.ts';

/** What happens to a request that a rule matches. Offsets count the bytes of the body. */
export type Fault =
  /** An answer of the proxy's own; the server never hears of the request. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body?: string;
      readonly headers?: Record<string, string>;
    }
  /** The server does the work; the client sees the connection break instead of the answer. */
  | { readonly kind: 'lose-answer' }
  | { readonly kind: 'delay'; readonly ms: number }
  | ({ readonly on: 'request' | 'response' } & BodyFault);

export interface FaultRule {
  readonly method?: string;
  /** Found anywhere in the path with its query. */
  readonly path?: string | RegExp;
  /** Only the nth request that matches, from 1. */
  readonly nth?: number;
  readonly fault: Fault;
}

/** An HTTP server on a loopback port that passes everything on, but for what its rules say. */
export interface FaultProxy extends AsyncDisposable {
  readonly endpoint: string;
  /** Heeded in order, the first match decides; may be changed at any time, by `setRules` to start counting anew. */
  setRules(...rules: readonly FaultRule[]): void;
  /** Requests that a rule was applied to since `setRules`. */
  faults(): number;
}

/** @param target the real server, e.g. `http://127.0.0.1:9000`. Headers pass unchanged, so signatures stay valid. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const rules = new Rules();
  const server = createServer((incoming, outgoing) => {
    // Whatever breaks, on purpose or not, the client sees as a broken connection.
    serve({ incoming, outgoing, target: new URL(target), fault: rules.faultFor(incoming) }).catch(() =>
      outgoing.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the fault proxy has no port');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    setRules: (...list) => rules.set(list),
    faults: () => rules.applied,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

class Rules {
  applied = 0;
  #rules: { rule: FaultRule; seen: number }[] = [];

  set(rules: readonly FaultRule[]): void {
    this.applied = 0;
    this.#rules = rules.map((rule) => ({ rule, seen: 0 }));
  }

  faultFor({ method, url = '' }: IncomingMessage): Fault | undefined {
    for (const entry of this.#rules) {
      const { rule } = entry;
      if (rule.method !== undefined && rule.method !== method) continue;
      if (rule.path !== undefined && !(typeof rule.path === 'string' ? url.includes(rule.path) : rule.path.test(url)))
        continue;
      entry.seen += 1;
      if (rule.nth !== undefined && rule.nth !== entry.seen) continue;
      this.applied += 1;
      return rule.fault;
    }
    return undefined;
  }
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly target: URL;
  readonly fault: Fault | undefined;
}

async function serve({ incoming, outgoing, target, fault }: Exchange): Promise<void> {
  if (fault?.kind === 'answer') return await answer(incoming, outgoing, fault);
  if (fault?.kind === 'delay') await sleep(fault.ms, undefined, { ref: false });
  const isOver = new AbortController();
  outgoing.once('close', () => isOver.abort());
  const response = await forward(incoming, { target, fault, signal: isOver.signal });
  if (fault?.kind === 'lose-answer') return await lose(response);
  outgoing.writeHead(response.statusCode ?? 502, response.rawHeaders);
  await pipeline(response, actOnBody(faultOn('response', fault), isOver.signal), outgoing);
}

/** @param signal takes the request with it, as a client does that goes away. */
async function forward(
  incoming: IncomingMessage,
  { target, fault, signal }: { target: URL; fault: Fault | undefined; signal: AbortSignal },
): Promise<IncomingMessage> {
  const { method, url: path, rawHeaders: headers } = incoming;
  const upstream = request({ host: target.hostname, port: target.port, method, path, headers, signal, agent: false });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    upstream.once('response', resolve).on('error', reject);
  });
  const sent = pipeline(incoming, actOnBody(faultOn('request', fault), signal), upstream);
  // A server may answer before it has read everything; a fault ends the whole exchange.
  return await Promise.race([answered, sent.then(() => answered)]);
}

async function lose(response: IncomingMessage): Promise<never> {
  response.resume();
  await new Promise((resolve) => response.once('close', resolve));
  throw new Error('the answer is lost');
}

function faultOn(side: 'request' | 'response', fault: Fault | undefined): BodyFault | undefined {
  return fault !== undefined && 'on' in fault && fault.on === side ? fault : undefined;
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: Extract<Fault, { kind: 'answer' }>,
): Promise<void> {
  for await (const chunk of incoming) void chunk;
  outgoing.writeHead(fault.status, fault.headers).end(fault.body);
}
