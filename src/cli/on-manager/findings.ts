import type { Preflight } from '../../api/agent.ts';
import type { Output } from '../output.ts';
import { plainText } from '../plain-text.ts';

const words = { ok: 'ok', warning: 'warning', error: 'ERROR' } as const;

/** What a test or a plan found, a line each, with the next step where there is one. */
export function sayFindings(output: Output, findings: Preflight['findings']): void {
  for (const { level, message, nextStep } of findings) {
    output.text(`  ${words[level].padEnd(7)}  ${plainText(message)}`);
    if (nextStep !== undefined && level !== 'ok') output.text(`           ${plainText(nextStep)}`);
  }
}
