import { Checkbox } from '@mantine/core';
import type { RestorePlan } from './plan-times.ts';
import type { RestoreBody, RestoreDraft } from './restore-draft.ts';

export interface AcceptMissingProps {
  readonly plan: RestorePlan | undefined;
  readonly target: RestoreBody['target'] | undefined;
  readonly draft: RestoreDraft;
  readonly change: (to: Partial<RestoreDraft>) => void;
}

/** Some tables of the server are in no backup: nothing is replaced before a person says that they may be missing. */
export function AcceptMissing({ plan, target, draft, change }: AcceptMissingProps) {
  const hasSome = plan?.findings.some(({ code }) => code === 'aria-behind-links') ?? false;
  if (!hasSome || target === undefined || !('service' in target)) return null;
  const { service } = target;
  return (
    <Checkbox
      label={`These tables may be missing from ${service} afterwards`}
      checked={draft.acceptsMissingIn === service}
      onChange={({ currentTarget }) => change({ acceptsMissingIn: currentTarget.checked ? service : undefined })}
    />
  );
}
