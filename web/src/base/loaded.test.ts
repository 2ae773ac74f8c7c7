import { expect, test, vi } from 'vitest';
import { Problem } from '../api/client';
import { Deed, Loaded, Paged } from './loaded.svelte';

const refused = new Problem(403, 'denied', 'no');

test('an answer that a younger one has overtaken is dropped', async () => {
  const answers: ((value: string) => void)[] = [];
  const loaded = new Loaded(() => new Promise<string>((resolve) => answers.push(resolve)));
  const first = loaded.load();
  const second = loaded.load();
  answers[1]!('young');
  answers[0]!('old');
  await Promise.all([first, second]);
  expect(loaded.value).toBe('young');
});

test('what was had stays when it can not be had again, and the problem is told', async () => {
  const answers = [Promise.resolve('here'), Promise.reject(refused), Promise.resolve('again')];
  const loaded = new Loaded(() => answers.shift()!);
  await loaded.load();
  await loaded.load();
  expect([loaded.value, loaded.problem]).toEqual(['here', refused]);
  await loaded.load();
  expect([loaded.value, loaded.problem]).toEqual(['again', undefined]);
});

test('what is gone is not asked for again, nor is anything by a page that was left', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('document', { hidden: false });
  let asked = 0;
  const loaded = new Loaded(() => {
    asked += 1;
    if (asked === 1) return Promise.resolve('here');
    return Promise.reject(new Problem(404, 'gone', 'gone'));
  });
  const leave = loaded.keep_fresh(10);
  await vi.advanceTimersByTimeAsync(100);
  expect([asked, loaded.gone]).toEqual([2, true]);
  leave();
  await loaded.load();
  expect(asked).toBe(2);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('nothing is asked while it is taken away, and again where that was refused', async () => {
  const ended: boolean[] = [];
  let asked = 0;
  const loaded = new Loaded((signal) => {
    asked += 1;
    signal.onabort = () => ended.push(true);
    return Promise.resolve('here');
  });
  await loaded.load();
  const done = await loaded.quietly(async () => {
    await loaded.load();
    return true;
  });
  expect([done, asked, ended]).toEqual([true, 1, [true]]);
  expect(await loaded.quietly(() => Promise.resolve(false))).toBe(false);
  expect(asked).toBe(2);
});

test('pages follow each other until there are no more', async () => {
  const pages: Record<string, { items: number[]; next: string | null }> = {
    '': { items: [1, 2], next: 'b' },
    b: { items: [3], next: null },
  };
  const asked: string[] = [];
  const list = new Paged((cursor = '') => {
    asked.push(cursor);
    return Promise.resolve(pages[cursor]!);
  });
  await list.load();
  await list.more();
  await list.more();
  expect([list.items, asked]).toEqual([
    [1, 2, 3],
    ['', 'b'],
  ]);
});

test('a list that is loaded anew forgets its later pages', async () => {
  const list = new Paged((cursor = 'first') => Promise.resolve({ items: [cursor], next: 'more' }));
  await list.load();
  await list.more();
  await list.load();
  expect(list.items).toEqual(['first']);
});

test('a deed tells whether it was done, and forgets an old refusal', async () => {
  const deed = new Deed();
  expect(await deed.run(() => Promise.reject(refused))).toBe(false);
  expect(deed.problem).toBe(refused);
  expect(await deed.run(() => Promise.resolve())).toBe(true);
  expect([deed.problem, deed.busy]).toEqual([undefined, false]);
});
