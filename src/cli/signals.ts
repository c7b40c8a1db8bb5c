import { Failure } from '../lib/failure.ts';
import { EXIT } from './exit-code.ts';

const exitCodes = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated, SIGHUP: EXIT.hungUp } as const;
type Ending = keyof typeof exitCodes;

/** From the command's end to the program's by force, where something holds it. */
const forceMs = 5_000;

/** Someone wants the program to end. */
export class Interrupted extends Failure {
  override name = 'Interrupted';
  readonly exitCode: number;

  constructor(signal: Ending) {
    super('interrupted', `Cannot go on as the program was asked to end: ${signal}`);
    this.exitCode = exitCodes[signal];
  }
}

/**
 * Turns SIGINT, SIGTERM and SIGHUP into an aborted signal, so that everything under way can clean up after itself. A second
 * one ends the program at once.
 */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #say: (line: string) => void;
  readonly #listener = (signal: NodeJS.Signals): void => this.#on(signal);
  #isAsked = false;
  #isExpected = false;

  constructor(say: (line: string) => void) {
    this.#say = say;
    for (const signal of Object.keys(exitCodes)) process.on(signal, this.#listener);
  }

  /** To be ended by a signal is how this command ends well. */
  expect(): void {
    this.#isExpected = true;
  }

  /** @throws the reason when something was interrupted that should have come to its end */
  throwIfUnexpected(): void {
    if (!this.#isExpected) this.signal.throwIfAborted();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends what is under way as SIGINT does. */
  interrupt(reason: Error): void {
    this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    for (const signal of Object.keys(exitCodes)) process.off(signal, this.#listener);
    setTimeout(() => this.#endIfHeld(), forceMs).unref();
  }

  /** A write that nobody reads may hold the program, or a file system that hangs: not even `process.exit` ends it then. */
  #endIfHeld(): void {
    const isHung = process.getActiveResourcesInfo().includes('FSReqPromise');
    if (!isHung && !this.signal.aborted) return;
    if (isHung)
      this.#say('A file system does not answer, so the program ends by force. What it came to is said above.');
    process.kill(process.pid, 'SIGKILL');
  }

  #on(name: NodeJS.Signals): void {
    const signal = isEnding(name) ? name : 'SIGTERM';
    if (this.#isAsked) return this.#endNow(signal);
    this.#isAsked = true;
    this.#say(`${signal}: stopping. Once more ends the program at once.`);
    this.#controller.abort(new Interrupted(signal));
  }

  /** As the system would have done: whoever waits for this process sees the signal. */
  #endNow(signal: Ending): void {
    process.off(signal, this.#listener);
    process.kill(process.pid, signal);
  }
}

function isEnding(name: string): name is Ending {
  return Object.hasOwn(exitCodes, name);
}
