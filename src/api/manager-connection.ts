import { Agent as AgentInClear } from 'node:http';
import { Agent } from 'node:https';
import { InvalidRequest } from '../lib/failure.ts';
import { type Trust, trustingAgent } from './pinned-agent.ts';

/** The address of a manager as people give it. @throws InvalidRequest `manager-url-invalid` */
export function managerUrl(text: string): URL {
  const url = URL.parse(text);
  const isPlain = url !== null && url.username === '' && url.password === '';
  if (isPlain && (url.protocol === 'https:' || (url.protocol === 'http:' && isThisHost(url)))) return url;
  const why = url?.protocol === 'http:' ? 'it is not encrypted and not on this host' : 'it is not a plain https URL';
  throw new InvalidRequest('manager-url-invalid', `Cannot use this address of a manager as ${why}`, {
    nextStep: 'Write for example https://holdfast.example.net:7440; a token goes into a file.',
  });
}

function isThisHost({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** Connections to a manager; without a trust of their own the authorities of this system decide. */
export function connectionsTo(url: URL, trust: Trust | undefined): AgentInClear {
  if (url.protocol === 'http:') return new AgentInClear({ keepAlive: true, maxSockets: 16 });
  return trust === undefined ? new Agent({ keepAlive: true, maxSockets: 16 }) : trustingAgent(trust, 'manager');
}
