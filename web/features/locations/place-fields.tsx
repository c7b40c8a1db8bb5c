import { Checkbox, PasswordInput, Stack, TextInput } from '@mantine/core';
import { Section } from '../../components/section.tsx';
import type { LocationFormState } from './location-form.tsx';

const keep = 'Set. Leave it empty to keep it.';

export function BucketFields({ form, known }: { readonly form: LocationFormState; readonly known: readonly string[] }) {
  return (
    <>
      <Section title="Bucket">
        <Stack>
          <TextInput label="Bucket" required spellCheck={false} {...form.getInputProps('bucket')} />
          <TextInput
            label="Prefix"
            description="Everything is stored below it. Leave it empty to use the whole bucket."
            spellCheck={false}
            {...form.getInputProps('prefix')}
          />
          <TextInput
            label="Region"
            description="Such as eu-central-1."
            spellCheck={false}
            {...form.getInputProps('region')}
          />
          <TextInput
            label="Endpoint"
            description="Of a store other than Amazon's, such as https://s3.example.net."
            spellCheck={false}
            {...form.getInputProps('endpoint')}
          />
          <Checkbox
            label="The bucket's name goes into the path"
            description="Most stores other than Amazon's want this."
            checked={form.values.addressing === 'path'}
            onChange={({ currentTarget }) =>
              form.setFieldValue('addressing', currentTarget.checked ? 'path' : 'virtual')
            }
          />
        </Stack>
      </Section>
      <Section title="Keys">
        <Stack>
          <PasswordInput
            label="Access key"
            description="Without keys each host uses what it has of its own, such as an instance role."
            placeholder={known.includes('accessKeyId') ? keep : undefined}
            {...revealing('access key')}
            {...form.getInputProps('accessKeyId')}
          />
          <PasswordInput
            label="Secret key"
            description="Goes in and never comes out again."
            placeholder={known.includes('secretAccessKey') ? keep : undefined}
            {...revealing('secret key')}
            {...form.getInputProps('secretAccessKey')}
          />
          <PasswordInput
            label="Session token"
            description="Of temporary keys only."
            placeholder={known.includes('sessionToken') ? keep : undefined}
            {...revealing('session token')}
            {...form.getInputProps('sessionToken')}
          />
        </Stack>
      </Section>
    </>
  );
}

export function PathField({ form }: { readonly form: LocationFormState }) {
  return (
    <Section title="Directory">
      <TextInput
        label="Path"
        description="Absolute. Holdfast must be able to write there, on each host that backs up to it."
        required
        spellCheck={false}
        {...form.getInputProps('path')}
      />
    </Section>
  );
}

/** So that no browser offers or stores a password, and the eye says whose it is. */
export function revealing(what: string) {
  return {
    autoComplete: 'new-password',
    spellCheck: false,
    visibilityToggleButtonProps: {
      'aria-label': `Show the ${what} that is typed here`,
      tabIndex: 0,
      'aria-hidden': false,
    },
  } as const;
}
