import { Paper, Stack, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { ChoiceList } from '../../components/choice-list.tsx';
import { ErrorCard } from '../../components/error-card.tsx';
import { ApiError } from '../../lib/api.ts';
import { Section } from '../../components/section.tsx';
import { EncryptionFields } from './encryption-fields.tsx';
import { findingsOf } from './findings-of.ts';
import { checkLocation, type LocationDraft } from './location-draft.ts';
import { BucketFields, KeyFields, PathField } from './place-fields.tsx';
import { TestFindings } from './test-findings.tsx';

export type LocationFormState = ReturnType<typeof useLocationForm>;

export function useLocationForm(initial: LocationDraft, known: readonly string[]) {
  return useForm<LocationDraft>({ initialValues: initial, validate: (draft) => checkLocation(draft, known) });
}

export interface LocationFormProps {
  readonly id: string;
  readonly form: LocationFormState;
  /** Secrets that the manager has, by name; undefined where nothing is stored yet. */
  readonly known: readonly string[] | undefined;
  readonly onSubmit: (draft: LocationDraft) => void;
  readonly error: Error | null;
}

/** Its submit button is in the page's header, as the one primary action. */
export function LocationForm({ id, form, known, onSubmit, error }: LocationFormProps) {
  const isNew = known === undefined;
  return (
    <form id={id} onSubmit={form.onSubmit(onSubmit)} noValidate autoComplete="off">
      <Stack maw={640}>
        {error === null ? null : <Refused error={error} />}
        <Paper>
          <Stack>
            <TextInput
              label="Name"
              description={isNew ? 'Backups, lists and logs know it by this.' : 'A storage location keeps its name.'}
              required={isNew}
              readOnly={!isNew}
              {...form.getInputProps('name')}
            />
            <Textarea label="Description" autosize minRows={1} {...form.getInputProps('description')} />
            <ChoiceList<LocationDraft['type']>
              label="Type"
              value={form.values.type}
              onChange={(type) => form.setFieldValue('type', type)}
              choices={[
                { value: 's3', label: 'S3', description: 'A bucket of Amazon S3 or of any store that speaks like it.' },
                {
                  value: 'directory',
                  label: 'Directory',
                  description:
                    'A shared file system under the same path on the hosts of the manager and of the agents.',
                },
              ]}
            />
          </Stack>
        </Paper>
        {form.values.type === 's3' ? (
          <>
            <BucketFields form={form} />
            <KeyFields form={form} known={known ?? []} />
          </>
        ) : (
          <PathField form={form} />
        )}
        <EncryptionFields form={form} known={known} isWrong={error instanceof ApiError && error.code === 'wrong-key'} />
      </Stack>
    </form>
  );
}

/** What the manager did not accept; where its test failed, each verb. */
function Refused({ error }: { readonly error: Error }) {
  const findings = findingsOf(error);
  return (
    <>
      <ErrorCard error={error} />
      {findings.length === 0 ? null : (
        <Section title="What the test found">
          <TestFindings findings={findings} />
        </Section>
      )}
    </>
  );
}
