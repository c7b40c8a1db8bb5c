import { describe, expect, test } from 'vitest';
import { Conflict, Failure, PermanentFailure } from '../../lib/failure.ts';
import { type AgentFacts, conditionOf, judgeCall, lostAfterMs, notDialled } from './agent-state.ts';

const facts = (more: Partial<AgentFacts> = {}): AgentFacts => ({
  name: 'db1',
  hostname: 'db1.example.net',
  heardAt: 1_000,
  expectedFrom: 0,
  wasHeardBefore: false,
  refusal: undefined,
  unreachable: undefined,
  unfit: undefined,
  ...more,
});
const failure = new Failure('some', 'Cannot');

describe('the state of an agent', () => {
  test.each<[string, Partial<AgentFacts>, number, string, string | undefined]>([
    ['heard of a moment ago', {}, 2_000, 'Connected', undefined],
    ['heard of 90 s ago', {}, 1_000 + lostAfterMs, 'Connected', undefined],
    ['silent for longer', {}, 1_001 + lostAfterMs, 'Lost', 'agent-lost'],
    ['joined and never heard of', { heardAt: undefined }, 10 * lostAfterMs, 'Unknown', undefined],
    [
      'known from before a restart of the manager',
      { heardAt: undefined, wasHeardBefore: true },
      5,
      'Unknown',
      undefined,
    ],
    ['silent since that', { heardAt: undefined, wasHeardBefore: true }, lostAfterMs + 1, 'Lost', 'agent-lost'],
    ['with another certificate, though heard of', { refusal: failure }, 2_000, 'NotTrusted', 'some'],
    ['too old', { unfit: failure }, 2_000, 'Lost', 'some'],
    ['heard of, but not to be reached', { unreachable: notDialled('db1') }, 2_000, 'Lost', 'agent-unreachable'],
  ])('%s', (_, ...[more, now, state, code]) => {
    const condition = conditionOf(facts(more), now);
    expect([condition.state, condition.failure?.code]).toEqual([state, code]);
  });

  test.each([
    ['an answer that says no', new Conflict('busy', 'Cannot'), undefined, undefined],
    ['no answer', new Failure('agent-unreachable', 'Cannot'), undefined, 'agent-unreachable'],
    ['another certificate', new PermanentFailure('agent-not-trusted', 'Cannot'), 'agent-not-trusted', undefined],
    ['a refused token', new PermanentFailure('not-authorised', 'Cannot'), 'agent-not-trusted', undefined],
    ['too many of them', new Failure('too-many-failures', 'Cannot'), 'agent-not-trusted', undefined],
    ['a cancelled call', new Error('aborted'), undefined, undefined],
  ])('after %s', (_, ...[error, refusal, unreachable]) => {
    const judged = judgeCall('db1', error);
    expect([judged.refusal?.code, judged.unreachable?.code]).toEqual([refusal, unreachable]);
  });
});
