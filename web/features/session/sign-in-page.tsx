import { Button, Center, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { type FormEvent, useEffect, useState } from 'react';
import { Brand } from '../../app/brand.tsx';
import { ErrorCard } from '../../components/error-card.tsx';
import { asking, call } from '../../lib/api.ts';

const route = getRouteApi('/sign-in');

export function SignInPage() {
  const { returnTo } = route.useSearch();
  const router = useRouter();
  const queries = useQueryClient();
  const [name, setName] = useState('admin');
  const [password, setPassword] = useState('');
  useEffect(() => {
    document.title = 'Sign in · Holdfast';
  }, []);
  const signIn = useMutation({
    mutationFn: () => call('signIn', { body: { name, password } }),
    onSuccess: (user) => {
      queries.clear();
      queries.setQueryData(asking('getSession', {}).queryKey, user);
      router.history.push(returnTo ?? '/backups');
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    signIn.mutate();
  };
  return (
    <Center component="main" mih="100dvh" p="md">
      <Paper component="form" onSubmit={submit} w="100%" maw={360} p="xl">
        <Stack gap="md">
          <Brand />
          <Title order={1}>Sign in</Title>
          <TextInput
            label="Name"
            name="username"
            autoComplete="username"
            required
            value={name}
            onChange={({ currentTarget }) => setName(currentTarget.value)}
          />
          <PasswordInput
            label="Password"
            name="password"
            autoComplete="current-password"
            required
            autoFocus
            value={password}
            onChange={({ currentTarget }) => setPassword(currentTarget.value)}
            visibilityToggleButtonProps={{ 'aria-label': 'Show the password', tabIndex: 0 }}
          />
          {signIn.error === null ? null : <ErrorCard error={signIn.error} />}
          <Button type="submit" loading={signIn.isPending}>
            Sign in
          </Button>
          <Text size="xs" c="dimmed">
            The first time, the name is admin, and the manager printed its password when it was started.
          </Text>
        </Stack>
      </Paper>
    </Center>
  );
}
