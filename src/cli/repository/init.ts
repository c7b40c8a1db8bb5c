import { hostname, userInfo } from 'node:os';
import * as z from 'zod';
import { Failure, InvalidRequest } from '../../lib/failure.ts';
import { initRepository } from '../../repository/repository.ts';
import { prepareDirectory } from '../../storage/directory.ts';
import { type ProbeReport, probeStorage } from '../../storage/probe.ts';
import type { Context, Invocation } from '../context.ts';
import { describeLocation, locationOf, openStore, unlockOf } from '../store.ts';

const optionsSchema = z.object({ encryption: z.boolean(), label: z.string().optional() });

export async function initCommand({ context, options: raw }: Invocation): Promise<void> {
  const { output, signal, clock } = context;
  const options = optionsSchema.parse(raw);
  const unlock = await unlockOf(context);
  checkEncryption({ wantsEncryption: options.encryption, hasKey: unlock !== undefined });
  const location = locationOf(context);
  if (location.kind === 'directory') await prepareDirectory(location.path);
  await using storage = await openStore(context);
  const report = await probeStorage(storage, { signal });
  judge(report);
  const repository = await initRepository(storage, {
    clock,
    signal,
    unlock,
    conditionalPut: report.conditionalPut,
    label: options.label ?? `${userInfo().username}@${hostname()}`,
  });
  const { facts } = repository;
  output.json({
    type: 'result',
    repository: facts.repository,
    location: describeLocation(context),
    isEncrypted: facts.keyId !== undefined,
    keyId: facts.keyId,
    conditionalPut: facts.conditionalPut,
  });
  output.text(`Made repository ${facts.repository} in ${storage.description}.`);
  remind(context, { isEncrypted: facts.keyId !== undefined, conditionalPut: facts.conditionalPut });
}

function checkEncryption({ wantsEncryption, hasKey }: { wantsEncryption: boolean; hasKey: boolean }): void {
  if (wantsEncryption === hasKey) return;
  if (hasKey) {
    throw new InvalidRequest(
      'encryption-unclear',
      'Cannot make the repository as both a key and --no-encryption are given',
      {
        nextStep: 'Leave out one of them; look at the environment, too.',
      },
    );
  }
  throw new InvalidRequest(
    'encryption-unclear',
    'Cannot make the repository as it is not said whether it is to be encrypted',
    {
      nextStep: 'Give --passphrase-file or --key-file, or say --no-encryption.',
    },
  );
}

/** Every verb must work; only "if absent" may be ignored. */
function judge({ findings }: ProbeReport): void {
  const bad = findings.filter(({ result }) => result === 'fails');
  const [first] = bad;
  if (!first?.failure) return;
  const { failure, verb } = first;
  if (bad.length === 1) throw failure;
  throw new Failure(
    failure.code,
    `Cannot use the store as "${verb}" and ${bad.length - 1} more of its verbs fail: ${failure.message}`,
    {
      cause: failure,
      evidence: bad.map((finding) => `${finding.verb}: ${finding.failure?.message ?? ''}`),
      ...(failure.nextStep === undefined ? {} : { nextStep: failure.nextStep }),
    },
  );
}

function remind({ output }: Context, facts: { isEncrypted: boolean; conditionalPut: boolean }): void {
  if (facts.isEncrypted)
    output.remark('Keep the passphrase or key file in a second place: without it no backup can be read.');
  else output.warn('Nothing in this repository is encrypted: who can read the store can read every table.');
  if (!facts.conditionalPut)
    output.warn(
      'The store ignores "put if absent". Everything works; an attempt that died keeps its data until you abandon it or seven days have passed.',
    );
}
