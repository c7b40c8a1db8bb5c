import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { CorruptData, Failure } from '../../lib/failure.ts';

/** Argon2id: 19 MiB and two passes for each try, a few hundredths of a second. */
const cost = { memory: 19_456, passes: 2, parallelism: 1 };
const saltBytes = 16;
const hashBytes = 32;
/** How many are computed at once; each takes its memory. */
const maximumAtOnce = 2;
/** More who wait would be an attack. */
const defaultWaiting = 50;

const derive: (algorithm: 'argon2id', parameters: Argon2Parameters) => Promise<Buffer> = promisify(argon2);

/** Hashes and checks passwords, a few at a time. */
export class Passwords {
  readonly #maximumWaiting: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor({ maximumWaiting = defaultWaiting }: { readonly maximumWaiting?: number } = {}) {
    this.#maximumWaiting = maximumWaiting;
  }

  /** In the usual form `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. @throws Failure `too-many-sign-ins` */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(saltBytes);
    const hash = await this.#derive(password, { ...cost, salt, tagLength: hashBytes });
    const { memory, passes, parallelism } = cost;
    return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${textOf(salt)}$${textOf(hash)}`;
  }

  /**
   * Without a hash to compare with it takes as long and says no, so that the time does not tell which users there are.
   * @throws Failure `too-many-sign-ins`
   */
  async isRight(password: string, kept: string | undefined): Promise<boolean> {
    const { hash, ...parameters } = kept === undefined ? nobody : parse(kept);
    const found = await this.#derive(password, { ...parameters, tagLength: hash.length });
    return timingSafeEqual(found, hash) && kept !== undefined;
  }

  async #derive(
    password: string,
    { salt, ...parameters }: Omit<Argon2Parameters, 'message' | 'nonce'> & { readonly salt: Buffer },
  ): Promise<Buffer> {
    await this.#turn();
    try {
      return await derive('argon2id', { message: password.normalize('NFC'), nonce: salt, ...parameters });
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  async #turn(): Promise<void> {
    if (this.#running < maximumAtOnce) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= this.#maximumWaiting)
      throw new Failure('too-many-sign-ins', 'Cannot check this password as too many are being checked', {
        nextStep: 'Try again in a few seconds.',
      });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    await promise;
  }
}

const nobody = { ...cost, salt: Buffer.alloc(saltBytes), hash: Buffer.alloc(hashBytes) };

function parse(kept: string) {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/-]+)\$([\w+/-]+)$/.exec(kept);
  if (match === null)
    throw new CorruptData('password-damaged', 'Cannot check this password as what is kept is damaged');
  const [, memory = '', passes = '', parallelism = '', salt = '', hash = ''] = match;
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
}

function textOf(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
