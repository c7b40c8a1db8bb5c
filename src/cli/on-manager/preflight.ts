import * as z from 'zod';
import { PermanentFailure } from '../../lib/failure.ts';
import { folderOf, onlyLocation } from './backup.ts';
import { sayFindings } from './findings.ts';
import { onManager } from './open.ts';
import { needed } from './run-kinds.ts';

const optionsSchema = z.object({
  service: z.string().optional(),
  location: z.string().optional(),
  folder: z.string().optional(),
});

/** Says what would keep a backup from succeeding, and begins none. */
export const preflightBackup = onManager(async ({ invocation, context: { output }, client, signal }) => {
  const given = optionsSchema.parse(invocation.options);
  const service = needed(given.service, { flag: '--service', what: 'the service to back up' });
  const location = given.location ?? (await onlyLocation(client, signal));
  const folder = given.folder ?? (await folderOf(client, service, signal));
  const body = { service, location, ...(folder === undefined ? {} : { folder }) };
  const { isGo, findings, sharedWith } = await client.call('preflightBackup', { body, signal });
  output.json({ type: 'result', ...body, isGo, findings, sharedWith });
  const what = `a backup of ${service} to ${location}`;
  output.text(isGo ? `Nothing keeps ${what} from succeeding.` : `This would keep ${what} from succeeding:`);
  sayFindings(output, findings);
  if (sharedWith.length > 0) output.text(`Its folder is shared; backups wait for those of ${sharedWith.join(', ')}.`);
  if (isGo) return;
  const errors = findings.filter(({ level }) => level === 'error');
  throw new PermanentFailure('preflight-failed', `Cannot take ${what} yet as its preflight found what is in the way`, {
    nextStep: errors[0]?.nextStep ?? 'Mend what the preflight names, then try again.',
  });
});
