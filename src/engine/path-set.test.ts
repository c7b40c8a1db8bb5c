import { expect, it } from 'vitest';
import { PathSet } from './path-set.ts';

it('knows each of 200,000 table files and none that was not added', () => {
  const set = new PathSet();
  for (let index = 0; index < 200_000; index += 1) set.add(`db/table_${index}.ibd`);
  set.add('db/table_7.ibd');
  expect(set.size).toBe(200_000);
  for (let index = 0; index < 200_000; index += 1) {
    if (!set.has(`db/table_${index}.ibd`) || set.has(`db/table_${index}.frm`)) expect.unreachable(String(index));
  }
});
