import { PasswordInput, Stack, Text } from '@mantine/core';
import { ChoiceList } from '../../components/choice-list.tsx';
import { Notice } from '../../components/notice.tsx';
import { Section } from '../../components/section.tsx';
import type { LocationFormState } from './location-form.tsx';
import { keep, revealing } from './place-fields.tsx';

export interface EncryptionFieldsProps {
  readonly form: LocationFormState;
  /** Undefined where nothing is stored yet. */
  readonly known: readonly string[] | undefined;
  /** The manager tried the passphrase on what is stored here. */
  readonly isWrong: boolean;
}

/** Whether what is stored is encrypted is decided once. */
export function EncryptionFields({ form, known, isWrong }: EncryptionFieldsProps) {
  const { isEncrypted } = form.values;
  return (
    <Section title="Encryption">
      <Stack>
        {known === undefined ? (
          <ChoiceList<'yes' | 'no'>
            label="Shall what is stored be encrypted?"
            description="It cannot be changed later."
            value={isEncrypted ? 'yes' : 'no'}
            onChange={(answer) => form.setFieldValue('isEncrypted', answer === 'yes')}
            choices={[
              {
                value: 'yes',
                label: 'Yes',
                description: 'With a passphrase: who gets hold of the store reads nothing, not even names of tables.',
              },
              { value: 'no', label: 'No', description: 'Whoever may read the store reads your data.' },
            ]}
          />
        ) : (
          <Text size="sm">
            {isEncrypted
              ? 'What is stored here is encrypted. This was decided when the location was added.'
              : 'What is stored here is not encrypted. This was decided when the location was added.'}
          </Text>
        )}
        {isEncrypted ? (
          <Passphrase form={form} isKnown={known?.includes('passphrase') === true} isWrong={isWrong} />
        ) : null}
      </Stack>
    </Section>
  );
}

interface PassphraseProps extends Pick<EncryptionFieldsProps, 'form' | 'isWrong'> {
  readonly isKnown: boolean;
}

function Passphrase({ form, isKnown, isWrong }: PassphraseProps) {
  return (
    <>
      <Notice icon="lock" title="Without the passphrase nothing can be restored, by anyone">
        Keep a copy of it outside of this program, where you find it when this host is gone.
      </Notice>
      <PasswordInput
        label="Passphrase"
        description={
          isKnown
            ? 'A new one must open what is stored here already, and is tried before it is kept.'
            : 'At least 8 characters. It goes in and never comes out again.'
        }
        placeholder={isKnown ? keep : undefined}
        required={!isKnown}
        {...revealing('passphrase')}
        {...form.getInputProps('passphrase')}
        {...(isWrong ? { error: 'It does not open what is stored here.' } : {})}
      />
      {isKnown && form.values.passphrase === '' ? null : (
        <PasswordInput
          label="Passphrase again"
          required
          {...revealing('repeated passphrase')}
          {...form.getInputProps('passphraseAgain')}
        />
      )}
    </>
  );
}
