import { Failure, type FailureDetails } from '../lib/failure.ts';

/** An attempt that its agent calls good and that is not. */
export class NotGood extends Failure {
  override name = 'NotGood';
  /** Can no other attempt mend it? */
  readonly isFinal: boolean;

  constructor(code: string, message: string, { isFinal, ...details }: FailureDetails & { readonly isFinal: boolean }) {
    super(code, message, details);
    this.isFinal = isFinal;
  }
}
