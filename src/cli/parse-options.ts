import { InvalidArgumentError } from 'commander';

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
