import * as z from 'zod';

/** What every answer that is not a success holds. */
export const errorBodySchema = z.object({
  error: z.object({
    /** Stable; the message may change. */
    code: z.string(),
    /** `Cannot <do what> as <why>: <what is there now>`. */
    message: z.string(),
    /** What to do, a whole sentence. */
    nextStep: z.string().optional(),
    /** Of `busy`: kind, id and attempt of the job that runs. Of `invalid-request`: `fields`, each with path and message. */
    details: z.unknown().optional(),
  }),
});
export type ErrorBody = z.infer<typeof errorBodySchema>;
