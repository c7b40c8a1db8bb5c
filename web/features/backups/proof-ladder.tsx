import { Text } from '@mantine/core';
import type { Proof } from '../../../src/api/runs.ts';
import { Age } from '../../components/figures.tsx';
import { Section } from '../../components/section.tsx';
import { StatusMark } from '../../components/status-mark.tsx';
import { StepProgress } from '../../components/step-progress.tsx';
import { wordOf } from '../../lib/run-steps.ts';
import classes from './proof-ladder.module.css';
import { proofSteps } from './proof-mark.tsx';

/** What is known of a backup, step by step, and what is not. */
export function ProofLadder({ proof, sealedAt }: { readonly proof: Proof | undefined; readonly sealedAt: string }) {
  const reached = proofSteps.findIndex(({ level }) => level === (proof?.level ?? 'sealed'));
  const at = proof?.at ?? sealedAt;
  return (
    <Section title="Proof">
      <ol className={classes['ladder']}>
        {proofSteps.map(({ level, word, meaning }, index) => (
          <li key={level} className={classes['step']}>
            <StatusMark tone={index <= reached ? 'good' : 'quiet'} word={word} />
            <span>
              {meaning}{' '}
              <Text component="span" inherit c="dimmed">
                {index === reached ? <Age at={at} /> : index > reached ? 'Not yet.' : ''}
              </Text>
            </span>
          </li>
        ))}
      </ol>
      {proof?.steps === undefined ? null : (
        <StepProgress
          label="Steps of the drill"
          steps={proof.steps.map(({ name, ms }) => ({ name: wordOf(name), ms, state: 'done' as const }))}
        />
      )}
    </Section>
  );
}
