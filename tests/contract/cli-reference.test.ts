import { expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { cliReference } from '../support/cli-reference.ts';

test('docs/cli.md says what --help knows', async () => {
  const program = createProgram(async () => undefined);
  await expect(cliReference(program)).toMatchFileSnapshot('../../docs/cli.md');
});
