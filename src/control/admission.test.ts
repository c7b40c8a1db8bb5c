import { describe, expect, it } from 'vitest';
import { Admission, type Need, type RunRef } from './admission.ts';
import { Turnstile } from './turnstile.ts';

const a: RunRef = { kind: 'Backup', name: 'a' };
const b: RunRef = { kind: 'Backup', name: 'b' };
const c: RunRef = { kind: 'Drill', name: 'a' };

function need(key: string): Need {
  return { key, explain: ({ kind, name }) => `${kind} ${name} has ${key}.` };
}

describe('admission', () => {
  it('lets one run at a time have a thing, and says who has it', () => {
    const woken: RunRef[] = [];
    const admission = new Admission((run) => woken.push(run));
    expect(admission.take(a, [need('db1'), need('folder')])).toEqual([]);
    expect(admission.take(a, [need('db1')])).toEqual([]);
    expect(admission.take(b, [need('db2'), need('folder')])).toEqual(['Backup a has folder.']);
    expect(admission.take(c, [need('db1')])).toEqual(['Backup a has db1.']);
    admission.release(a);
    expect(woken).toEqual([b, c]);
    expect(admission.take(c, [need('db1')])).toEqual([]);
    expect(admission.take(b, [need('db2'), need('folder')])).toEqual([]);
  });

  it('takes all or nothing', () => {
    const admission = new Admission(() => undefined);
    admission.take(a, [need('folder')]);
    admission.take(b, [need('db2'), need('folder')]);
    expect(admission.take(c, [need('db2')])).toEqual([]);
  });

  it('does not wake who gave up', () => {
    const woken: RunRef[] = [];
    const admission = new Admission((run) => woken.push(run));
    admission.take(a, [need('db1')]);
    admission.take(b, [need('db1')]);
    admission.release(b);
    admission.release(a);
    expect(woken).toEqual([]);
  });
});

describe('a turnstile', () => {
  it('lets in as many as there are places, then one for each that leaves, and forgets who gave up', async () => {
    const turnstile = new Turnstile(1);
    const order: string[] = [];
    const first = await turnstile.enter(new AbortController().signal);
    const leaving = new AbortController();
    const second = turnstile.enter(leaving.signal);
    const third = turnstile.enter(new AbortController().signal).then((turn) => {
      order.push('third');
      return turn;
    });
    leaving.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    expect(order).toEqual([]);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    const turn = await third;
    let isIn = false;
    const fourth = turnstile.enter(new AbortController().signal).then(() => (isIn = true));
    await Promise.resolve();
    expect(isIn).toBe(false);
    turn[Symbol.dispose]();
    await fourth;
  });
});
