import { hostname, userInfo } from 'node:os';
import * as z from 'zod';
import { isoTime } from '../../lib/clock.ts';
import { Failure, InvalidRequest, PermanentFailure } from '../../lib/failure.ts';
import { addSlot, openWithoutKey, removeSlot } from '../../repository/repository.ts';
import { type DamagedSlot, readSlots } from '../../repository/slots-stored.ts';
import type { Slot } from '../../repository/slots.ts';
import { confirm } from '../confirm.ts';
import type { Invocation } from '../context.ts';
import { formatTime } from '../format.ts';
import { openFully, openStore, unlockOf } from '../store.ts';
import { formatTable } from '../table.ts';
import { readUnlock } from '../unlock.ts';

const addSchema = z.object({
  newPassphraseFile: z.string().optional(),
  newKeyFile: z.string().optional(),
  label: z.string().optional(),
});
const removeSchema = z.object({ yes: z.boolean().default(false) });

export async function keyListCommand({ context }: Invocation): Promise<void> {
  const { output, signal } = context;
  await using storage = await openStore(context);
  const { facts } = await openWithoutKey(storage, context);
  const { slots, damaged } = await readSlots(storage, signal);
  for (const slot of slots) output.json({ type: 'slot', ...shown(slot), isCurrent: slot.keyId === facts.keyId });
  for (const { slot, cause } of damaged) output.json({ type: 'slot', slot, kind: 'damaged', label: cause.message });
  const { keyId } = facts;
  if (keyId === undefined) output.text('This repository is not encrypted.');
  else {
    const columns = [{ title: 'SLOT' }, { title: 'KIND' }, { title: 'ADDED' }, { title: 'LABEL' }];
    output.text(
      ...formatTable(columns, [
        ...slots.map((slot) => [slot.slot, kindOf(slot, keyId), formatTime(slot.createdAt), slot.label]),
        ...damaged.map(({ slot, cause }) => [slot, 'damaged', '', cause.message]),
      ]),
    );
  }
}

export async function keyAddCommand({ context, options: raw }: Invocation): Promise<void> {
  const { output, signal, clock } = context;
  const { newPassphraseFile, newKeyFile, label } = addSchema.parse(raw);
  const added = await readUnlock({ passphraseFile: newPassphraseFile, keyFile: newKeyFile }, output);
  if (!added) {
    throw new InvalidRequest('no-new-key', 'Cannot add a key slot as no new passphrase or key file is given', {
      nextStep: 'Give --new-passphrase-file or --new-key-file.',
    });
  }
  const known = await unlockOf(context);
  if (!known) {
    throw new PermanentFailure(
      'key-needed',
      'Cannot add a key slot as nothing is given that opens the repository now',
      {
        nextStep: 'Give --passphrase-file or --key-file as well.',
      },
    );
  }
  await using storage = await openStore(context);
  const request = {
    known,
    added,
    label: label ?? `${userInfo().username}@${hostname()}`,
    createdAt: isoTime(clock.now()),
  };
  const slot = await addSlot(storage, request, signal);
  output.json({ type: 'result', ...shown(slot) });
  output.text(`Added key slot ${slot.slot}: ${slot.kind} of ${slot.label}.`);
}

export async function keyRemoveCommand({ context, args, options: raw }: Invocation): Promise<void> {
  const { output, signal } = context;
  const { yes } = removeSchema.parse(raw);
  // Who cannot open the repository now shall not lock out those who can.
  await using opened = await openFully(context);
  const { storage } = opened.repository;
  const { slots, damaged } = await readSlots(storage, signal);
  const slot = findSlot([...slots, ...damaged], args[0] ?? '');
  const what = 'cause' in slot ? 'damaged' : `${slot.kind} of ${slot.label}`;
  const about = [`Key slot ${slot.slot} (${what}) will not open the repository any more.`];
  await confirm(context, { about, word: slot.slot, isYes: yes });
  await removeSlot(storage, slot.slot, signal);
  output.json({ type: 'result', removed: slot.slot });
  output.text(`Removed key slot ${slot.slot}.`);
}

function findSlot(slots: readonly (Slot | DamagedSlot)[], text: string): Slot | DamagedSlot {
  const found = slots.filter(({ slot }) => slot.startsWith(text));
  const [only] = found;
  if (only && found.length === 1) return only;
  const why = only ? `${found.length} slots begin so` : 'there is none of that name';
  throw new Failure('no-such-slot', `Cannot remove key slot ${text} as ${why}`, {
    nextStep: '`holdfast repository key list` shows them.',
  });
}

/** Somebody else's repository may have won the place, and left a slot of a key that opens nothing here. */
function kindOf({ kind, keyId }: Slot, ofRepository: string): string {
  return keyId === ofRepository ? kind : `${kind}, of another key`;
}

/** Nothing from which a key could be guessed any faster. */
function shown({ slot, kind, label, createdAt, keyId }: Slot): Record<string, string> {
  return { slot, kind, label, createdAt, keyId };
}
