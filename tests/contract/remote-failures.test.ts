import { expect, test } from 'vitest';
import { describeFailure } from '../../src/api/describe-failure.ts';
import { jobFailureSchema } from '../../src/api/jobs.ts';
import { exitCodeOf } from '../../src/cli/exit-code.ts';
import { failureOf } from '../../src/cli/job-failure.ts';
import { failureClasses, failureClassNames, isPermanent } from '../../src/lib/failure.ts';

const codes = ['anything', 'restore-incomplete', 'not-proven', 'wrong-key', 'no-such-backup', 'target-not-empty'];
const failures = failureClassNames.flatMap((name) =>
  codes.map(
    (code) => new failureClasses[name](code, 'Cannot go on as it is so', { nextStep: 'Wait.', evidence: ['e'] }),
  ),
);

test.each(failures)('$name $code ends the program in the same way, here and on an agent', (failure) => {
  const remote = failureOf(jobFailureSchema.parse(JSON.parse(JSON.stringify(describeFailure(failure)))));
  expect(remote).toMatchObject({ name: failure.name, code: failure.code, nextStep: 'Wait.', evidence: ['e'] });
  expect(remote).toBeInstanceOf(failureClasses[failureClassNames.find((name) => name === failure.name) ?? 'Failure']);
  expect([exitCodeOf(remote), isPermanent(remote)]).toEqual([exitCodeOf(failure), isPermanent(failure)]);
});

test('what an earlier agent wrote down, without a class, is permanent or not', () => {
  const { class: _, ...old } = describeFailure(new failureClasses.Conflict('x', 'm'));
  expect(isPermanent(failureOf(jobFailureSchema.parse(old)))).toBe(true);
  expect(isPermanent(failureOf(jobFailureSchema.parse({ ...old, isPermanent: false })))).toBe(false);
});
