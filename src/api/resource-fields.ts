import * as z from 'zod';

/** Begins with a letter or digit, so that it is never an option, a hidden file or a way up. */
export const resourceNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/, 'letters, digits, dots, colons, underscores and hyphens, at most 100');

/** Names with `/` between them: where a repository lies in a storage location. */
export const folderSchema = z
  .string()
  .max(500)
  .regex(/^[^\p{Cc}\\]+$/u, 'no control characters or backslashes')
  .refine((text) => text.split('/').every((part) => !['', '.', '..'].includes(part)), 'names with / between them');

export const descriptionText = z.string().max(1000);
export const descriptionSchema = descriptionText.default('');

export const retrySchema = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('manual') }),
  z.strictObject({
    mode: z.literal('auto'),
    retries: z.int().min(1).max(10),
    /** Up to 8 hours. */
    intervalSeconds: z.int().min(1).max(28_800),
  }),
]);
export type Retry = z.output<typeof retrySchema>;
