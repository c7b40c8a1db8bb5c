import { Stack } from '@mantine/core';
import { ChoiceList } from '../../components/choice-list.tsx';
import type { RestoreDraft } from './restore-draft.ts';

export interface StartQuestionsProps {
  readonly draft: RestoreDraft;
  readonly change: (to: Partial<RestoreDraft>) => void;
  readonly isChecked: boolean;
}

/** What nobody but the person who restores can know, so both are asked. */
export function StartQuestions({ draft, change, isChecked }: StartQuestionsProps) {
  const missing = 'Choose one; only you can know.';
  return (
    <Stack gap="lg">
      <ChoiceList
        label="Will the restored server run beside the one that was backed up?"
        value={draft.identity}
        onChange={(identity) => change({ identity })}
        error={isChecked && draft.identity === undefined ? missing : undefined}
        choices={[
          {
            value: 'new',
            label: 'Yes, it is a copy: give it an identity of its own',
            description:
              'MySQL makes a new server_uuid when it starts. Two servers with one identity break replication.',
          },
          {
            value: 'keep',
            label: 'No, it takes its place: keep the identity',
            description: 'Replicas that know the server go on knowing it.',
          },
        ]}
      />
      <ChoiceList
        label="May it start as a replica?"
        description="A backup of a replica knows its source."
        value={draft.replication}
        onChange={(replication) => change({ replication })}
        error={isChecked && draft.replication === undefined ? missing : undefined}
        choices={[
          {
            value: 'stopped',
            label: 'No, replication stays stopped',
            description: 'Nothing changes in the restored data until someone starts replication.',
          },
          {
            value: 'start',
            label: 'Yes, replication may begin as soon as the server starts',
            description: 'It follows its source from the position of the backup, if it was a replica.',
          },
        ]}
      />
    </Stack>
  );
}
