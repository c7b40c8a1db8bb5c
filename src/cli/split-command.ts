import { InvalidRequest } from '../lib/failure.ts';

const part = /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)|[^\s"'\\]+/gs;
const wholeCommand = /^(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^"'\\])*$/s;
const word = /(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])+/gs;

/**
 * Splits a command as a shell would at blanks, minding quotes and backslashes, and nothing more: no variables, no patterns.
 * @throws InvalidRequest when it does not begin with the path of a program, or a quote is open
 */
export function splitCommand(text: string): [string, ...string[]] {
  if (!wholeCommand.test(text)) throw invalid(text, 'a quote is not closed');
  const [program, ...args] = [...text.matchAll(word)].map(([quoted]) => unquote(quoted));
  if (program?.startsWith('/') === true) return [program, ...args];
  throw invalid(text, 'it does not begin with the path of a program');
}

function unquote(quoted: string): string {
  const parts = [...quoted.matchAll(part)].map(
    ([whole, double, single, escaped]) => double?.replaceAll(/\\(.)/gs, '$1') ?? single ?? escaped ?? whole,
  );
  return parts.join('');
}

function invalid(text: string, why: string): InvalidRequest {
  return new InvalidRequest('command-invalid', `Cannot use this command as ${why}: ${text}`, {
    nextStep: 'Write for example --stop-command "/usr/bin/systemctl stop mariadb".',
  });
}
