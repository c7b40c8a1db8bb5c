import { InvalidArgumentError } from 'commander';
import { InvalidRequest } from '../lib/failure.ts';

/** For an option that is a whole number in a range. */
export function wholeNumber({ min, max }: { readonly min: number; readonly max: number }): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d{1,15}$/.test(text) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

const sizeUnits: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** For an option that is a size such as `512M` or `2G`, powers of 1024. @returns bytes */
export function byteSize({ min }: { readonly min: number }): (text: string) => number {
  return (text) => {
    const [, digits = '', unit = ''] = /^(\d{1,15})([kmgt]?)i?b?$/i.exec(text) ?? [];
    const bytes = Number(digits) * (sizeUnits[unit.toLowerCase()] ?? Number.NaN);
    if (digits !== '' && Number.isSafeInteger(bytes) && bytes >= min) return bytes;
    throw new InvalidArgumentError(`It must be a size such as 512M or 2G, at least ${min} bytes.`);
  };
}

/** For an option that is a text of people: a name. */
export function label(text: string): string {
  if (text.length > 0 && text.length <= 200 && !/\p{Cc}/u.test(text)) return text;
  throw new InvalidArgumentError('It must have 1 to 200 characters, none of them a control character.');
}

/** Where to listen, such as `127.0.0.1:7440` or `[::1]:7440`. @throws InvalidRequest `listen-invalid` */
export function parseListenAddress(text: string): { address: string; port: number } {
  const [, bracketed, plain, digits = ''] = /^(?:\[([0-9a-f:]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text) ?? [];
  const [address, port] = [bracketed ?? plain, Number(digits)];
  if (address !== undefined && port <= 65_535) return { address, port };
  throw new InvalidRequest('listen-invalid', `Cannot listen there as it is not an address and a port: ${text}`, {
    nextStep: 'Write for example 127.0.0.1:7440.',
  });
}
