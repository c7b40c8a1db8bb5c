import type * as z from 'zod';
import { InvalidRequest } from '../lib/failure.ts';

/** What a client sent, as the schema has it. @throws InvalidFields */
export function parseInput<Schema extends z.ZodType>(schema: Schema, given: unknown, where: string): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => ({
    path: [where, ...issue.path].join('.'),
    message: issue.message,
  }));
  throw new InvalidFields(fields);
}

export interface InvalidField {
  readonly path: string;
  readonly message: string;
}

/** A request that does not fit its schema. */
export class InvalidFields extends InvalidRequest {
  override name = 'InvalidFields';
  readonly fields: readonly InvalidField[];

  constructor(fields: readonly InvalidField[]) {
    const [first] = fields;
    super(
      'invalid-request',
      `Cannot use this request as it is not valid: ${first?.path ?? ''}: ${first?.message ?? ''}`,
    );
    this.fields = fields;
  }
}
