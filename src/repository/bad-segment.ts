import { CorruptData } from '../lib/failure.ts';

export const DAMAGED_NEXT_STEP =
  'Use another backup: `holdfast repository check --read-data` tells which ones are whole. The next backup uploads anew what is bad or gone.';

/** Stored bytes of a segment are not what was written: whoever learns of it notes it, so that no backup leans on them again. */
export class BadSegment extends CorruptData {
  readonly segment: string;

  constructor(segment: string, { code, message, cause, evidence, nextStep }: CorruptData) {
    super(code, message, { cause, evidence, nextStep: nextStep ?? DAMAGED_NEXT_STEP });
    this.segment = segment;
  }
}

/** What `reading` gives. That bytes of this segment are bad is told with its name. */
export async function ofSegment<T>(segment: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof CorruptData && !(error instanceof BadSegment)) throw new BadSegment(segment, error);
    throw error;
  }
}
