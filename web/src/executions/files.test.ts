import { expect, test } from 'vitest';
import { decoded_bytes, free_path, to_input } from './files';

test('a text file stays text', () => {
  const file = to_input('a.txt', new TextEncoder().encode('héllo'));
  expect(file).toEqual({ path: 'a.txt', content: 'héllo', encoding: 'utf8', executable: false });
  expect(decoded_bytes(file)).toBe(6);
});

test('bytes that are no text travel as base64 and are counted decoded', () => {
  const file = to_input('a.bin', new Uint8Array([0xff, 0xfe, 1, 2]));
  expect(file.encoding).toBe('base64');
  expect(file.content).toBe('//4BAg==');
  expect(decoded_bytes(file)).toBe(4);
});

test('a large binary file is encoded whole', () => {
  expect(decoded_bytes(to_input('a', new Uint8Array(100_001).fill(200)))).toBe(100_001);
});

test('a new file gets a name of its own', () => {
  const file = to_input('file-2.txt', new Uint8Array());
  expect(free_path([file])).toBe('file-3.txt');
});
