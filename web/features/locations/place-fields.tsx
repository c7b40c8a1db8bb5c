import { Checkbox, PasswordInput, SimpleGrid, Text, TextInput } from '@mantine/core';
import { Section } from '../../components/section.tsx';
import type { LocationFormState } from './location-form.tsx';

export const keep = 'Set. Leave it empty to keep it.';

export function BucketFields({ form }: { readonly form: LocationFormState }) {
  return (
    <Section title="Bucket">
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="md" style={{ alignItems: 'end' }}>
        <TextInput label="Bucket" required spellCheck={false} {...form.getInputProps('bucket')} />
        <TextInput
          label="Prefix"
          description="Empty: the whole bucket."
          spellCheck={false}
          {...form.getInputProps('prefix')}
        />
        <TextInput
          label="Endpoint"
          description="Of a store other than Amazon's."
          placeholder="https://s3.example.net"
          spellCheck={false}
          {...form.getInputProps('endpoint')}
        />
        <TextInput label="Region" placeholder="eu-central-1" spellCheck={false} {...form.getInputProps('region')} />
      </SimpleGrid>
      <Checkbox
        label="The bucket's name goes into the path"
        description="Most stores other than Amazon's want this."
        checked={form.values.addressing === 'path'}
        onChange={({ currentTarget }) => form.setFieldValue('addressing', currentTarget.checked ? 'path' : 'virtual')}
      />
    </Section>
  );
}

export function KeyFields({ form, known }: { readonly form: LocationFormState; readonly known: readonly string[] }) {
  const secret = (key: 'accessKeyId' | 'secretAccessKey' | 'sessionToken', what: string) => ({
    placeholder: known.includes(key) ? keep : undefined,
    ...revealing(what),
    ...form.getInputProps(key),
  });
  return (
    <Section title="Keys">
      <Text size="sm" c="dimmed">
        They go in and never come out again. Without keys each host uses what it has of its own, such as an instance
        role.
      </Text>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="md">
        <PasswordInput label="Access key" {...secret('accessKeyId', 'access key')} />
        <PasswordInput label="Secret key" {...secret('secretAccessKey', 'secret key')} />
        <PasswordInput
          label="Session token"
          description="Of temporary keys only."
          {...secret('sessionToken', 'session token')}
        />
      </SimpleGrid>
    </Section>
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
