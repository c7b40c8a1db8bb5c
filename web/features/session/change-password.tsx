import { Button, Group, PasswordInput, Stack, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ErrorCard } from '../../components/error-card.tsx';
import { Section } from '../../components/section.tsx';
import { asking, call } from '../../lib/api.ts';

const minimumLength = 10;
const empty = { password: '', newPassword: '', again: '' };
const eye = { 'aria-label': 'Show the password', tabIndex: 0 };

export function ChangePassword() {
  const queries = useQueryClient();
  const { data: user } = useQuery(asking('getSession', {}));
  const form = useForm({
    initialValues: empty,
    validate: {
      password: (value) => (value === '' ? 'Give the password that you have now.' : null),
      newPassword: (value) => (value.length < minimumLength ? `At least ${minimumLength} characters.` : null),
      again: (value, { newPassword }) => (value === newPassword ? null : 'This differs from the one above.'),
    },
  });
  const change = useMutation({
    mutationFn: ({ password, newPassword }: typeof empty) =>
      call('changePassword', { body: { password, newPassword } }),
    onSuccess: async () => {
      form.reset();
      await queries.invalidateQueries({ queryKey: asking('getSession', {}).queryKey });
    },
  });
  return (
    <Section title="Password">
      <form noValidate onSubmit={form.onSubmit((values) => change.mutate(values))}>
        <Stack gap="sm" maw={360}>
          {/* So that a password manager knows whose it is. */}
          <input type="text" name="username" autoComplete="username" value={user?.name ?? ''} readOnly hidden />
          <PasswordInput
            label="Password now"
            required
            autoComplete="current-password"
            visibilityToggleButtonProps={eye}
            {...form.getInputProps('password')}
          />
          <PasswordInput
            label="New password"
            description={`At least ${minimumLength} characters.`}
            required
            autoComplete="new-password"
            visibilityToggleButtonProps={eye}
            {...form.getInputProps('newPassword')}
          />
          <PasswordInput
            label="New password again"
            required
            autoComplete="new-password"
            visibilityToggleButtonProps={eye}
            {...form.getInputProps('again')}
          />
          {change.error === null ? null : <ErrorCard error={change.error} />}
          <Group gap="sm">
            <Button type="submit" loading={change.isPending}>
              Change password
            </Button>
            <Text size="sm" role="status">
              {change.isSuccess ? 'It is changed. Other sessions of yours have ended.' : ''}
            </Text>
          </Group>
        </Stack>
      </form>
    </Section>
  );
}
