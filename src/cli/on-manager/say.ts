import type { Preflight } from '../../api/agent.ts';
import { InvalidRequest } from '../../lib/failure.ts';
import { confirm } from '../confirm.ts';
import type { Output } from '../output.ts';
import { formatFacts, formatTable } from '../table.ts';
import { sayFindings } from './findings.ts';
import type { OnManager } from './open.ts';

export async function confirmRemoval({ invocation, context, name }: OnManager, about: string): Promise<void> {
  await confirm(context, { about: [about], word: name, isYes: invocation.options['yes'] === true });
}

export function sayTable(
  output: Output,
  table: {
    readonly columns: Parameters<typeof formatTable>[0];
    readonly rows: readonly (readonly string[])[];
    readonly none: string;
  },
): void {
  output.text(...(table.rows.length === 0 ? [table.none] : formatTable(table.columns, table.rows)));
}

export function sayFacts(
  output: Output,
  resource: object,
  facts: readonly (readonly [string, string | undefined])[],
): void {
  output.json({ type: 'result', ...resource });
  const there = facts.flatMap(([title, value]): [string, string][] =>
    value === undefined || value === '' ? [] : [[title, value]],
  );
  output.text(...formatFacts(there));
}

export function said(output: Output, resource: object, text: string): void {
  output.json({ type: 'result', ...resource });
  output.text(text);
}

export function sayTest(output: Output, { isGo, findings }: Preflight, what: string): void {
  output.json({ type: 'result', isGo, findings });
  output.text(isGo ? `A test of ${what} found nothing in the way.` : `A test of ${what} found what is in the way:`);
  sayFindings(output, findings);
  if (isGo) return;
  const errors = findings.filter(({ level }) => level === 'error');
  throw new InvalidRequest('test-failed', `Cannot use ${what} yet as its test found ${errors.length} errors`, {
    nextStep: errors[0]?.nextStep ?? 'Mend what the test names, then test again.',
  });
}
