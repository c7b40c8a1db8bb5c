import { expect, test } from 'vitest';
import { Conflict, CorruptData, Failure, InvalidRequest, PermanentFailure } from '../lib/failure.ts';
import { EXIT, exitCodeMeanings, exitCodeOf } from './exit-code.ts';
import { causesOf, errorLines, toReport } from './report-error.ts';

test('what a person reads: message, causes that say more, evidence, next step', () => {
  const cause = new Error('connect ECONNREFUSED', { cause: new Error('errno 111') });
  const error = new Failure('x', 'Cannot reach it as it does not answer: connect ECONNREFUSED', {
    cause,
    evidence: ['line 1', 'line \u001B[31m2'],
    nextStep: 'Start it.',
  });
  const causes = causesOf(error);
  expect(causes).toEqual(['connect ECONNREFUSED', 'errno 111']);
  expect(errorLines(error, { causes, isVerbose: false })).toEqual([
    'Error: Cannot reach it as it does not answer: connect ECONNREFUSED',
    '  because: errno 111',
    '  | line 1',
    '  | line ?[31m2',
    'Next: Start it.',
  ]);
});

test('whoever ends the program is told that, and whether someone must look', () => {
  const [asked, failed] = [new Error('asked to end'), new Failure('x', 'm')];
  const mustLook = new Failure('roll-back-failed', 'The server is down');
  expect(toReport(failed, AbortSignal.abort(asked))).toBe(asked);
  expect(toReport(mustLook, AbortSignal.abort(asked))).toBe(mustLook);
  expect(toReport(failed, new AbortController().signal)).toBe(failed);
});

test('causes that go in a circle, or are no errors, end', () => {
  const error = new Error('a');
  error.cause = new AggregateError([error, 'text', new Error('')]);
  expect(causesOf(error)).toEqual(['AggregateError', 'text', 'Error']);
});

test.each([
  [new InvalidRequest('x', 'm'), EXIT.usage],
  [new Conflict('x', 'm'), EXIT.conflict],
  [new CorruptData('x', 'm'), EXIT.damaged],
  [new PermanentFailure('wrong-key', 'm'), EXIT.denied],
  [new PermanentFailure('not-a-repository', 'm'), EXIT.notFound],
  [new InvalidRequest('no-such-slot', 'm'), EXIT.notFound],
  [new Failure('not-proven', 'm'), EXIT.damaged],
  [new Failure('x', 'm'), EXIT.failed],
  [new Error('m'), EXIT.failed],
  ['text', EXIT.failed],
])('exit code of %o', (error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});

test('every exit code is told apart and has a meaning', () => {
  expect(new Set(Object.values(EXIT)).size).toBe(Object.keys(EXIT).length);
  expect(Object.keys(exitCodeMeanings)).toEqual(Object.keys(EXIT));
});
