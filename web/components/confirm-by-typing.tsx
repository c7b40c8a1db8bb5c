import { Button, Code, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ErrorCard } from './error-card.tsx';

export interface ConfirmByTypingProps {
  readonly title: string;
  /** What has to be typed, e.g. the name of what goes. */
  readonly word: string;
  /** What will happen, in figures where there are any. */
  readonly children: ReactNode;
  /** Of the button, e.g. "Delete backup". */
  readonly action: string;
  readonly isOpen: boolean;
  readonly isBusy: boolean;
  readonly error: Error | null;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** For what cannot be taken back: says what will happen, and asks for a word before it does. */
export function ConfirmByTyping(props: ConfirmByTypingProps) {
  return (
    <Modal opened={props.isOpen} onClose={props.onClose} title={props.title} size="md">
      <Question {...props} />
    </Modal>
  );
}

function Question({ word, children, action, isBusy, error, onConfirm, onClose }: ConfirmByTypingProps) {
  const [typed, setTyped] = useState('');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.trim() === word && !isBusy) onConfirm();
      }}
    >
      <Stack gap="md">
        <Text size="sm" component="div">
          {children}
        </Text>
        <TextInput
          label={
            <>
              Type <Code>{word}</Code> to confirm
            </>
          }
          value={typed}
          onChange={({ currentTarget }) => setTyped(currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
        />
        {error === null ? null : <ErrorCard error={error} />}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onClose}>
            Keep it
          </Button>
          <Button type="submit" color="red" disabled={typed.trim() !== word} loading={isBusy}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
