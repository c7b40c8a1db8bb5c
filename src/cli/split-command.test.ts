import { expect, test } from 'vitest';
import { InvalidRequest } from '../lib/failure.ts';
import { splitCommand } from './split-command.ts';

test.each([
  ['/usr/bin/systemctl stop mariadb', ['/usr/bin/systemctl', 'stop', 'mariadb']],
  [' /bin/a  "b c"\t\'d "e\' f\\ g ', ['/bin/a', 'b c', 'd "e', 'f g']],
  ['/bin/a "x\\"y" --z="1 2" \'\'', ['/bin/a', 'x"y', '--z=1 2', '']],
  ['/bin/a $HOME ; * | `b`', ['/bin/a', '$HOME', ';', '*', '|', '`b`']],
])('%s', (text, words) => {
  expect(splitCommand(text)).toEqual(words);
});

test.each(['', '   ', 'systemctl stop mariadb', '/bin/a "b', "/bin/a 'b", '/bin/a b\\'])('%s is refused', (text) => {
  expect(() => splitCommand(text)).toThrow(InvalidRequest);
});
