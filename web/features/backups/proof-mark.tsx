import { Text } from '@mantine/core';
import type { Proof } from '../../../src/api/runs.ts';
import { Age, Nothing } from '../../components/figures.tsx';
import { StatusMark } from '../../components/status-mark.tsx';
import type { Tone } from '../../lib/states.ts';

/** The ladder, lowest first. */
export const proofSteps: readonly {
  readonly level: Proof['level'];
  readonly word: string;
  readonly tone: Tone;
  readonly meaning: string;
}[] = [
  { level: 'sealed', word: 'Sealed', tone: 'quiet', meaning: 'Complete by its own index.' },
  { level: 'checked', word: 'Checked', tone: 'good', meaning: 'Read back from the store, every byte verified.' },
  { level: 'proven', word: 'Proven', tone: 'good', meaning: 'Restored, prepared, started and queried by a drill.' },
];

/** The highest that is known of a backup, with its age. */
export function ProofMark({ proof }: { readonly proof: Proof | undefined }) {
  const step = proofSteps.find(({ level }) => level === proof?.level);
  if (proof === undefined || step === undefined) return <Nothing />;
  return (
    <>
      <StatusMark tone={step.tone} word={step.word} />
      <Text component="div" inherit c="dimmed" pl={20}>
        <Age at={proof.at} />
      </Text>
    </>
  );
}
