import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { en_problems } from './en_problems';

const contract = readFileSync(new URL('../../../src/api/openapi.yaml', import.meta.url), 'utf8');

// Words in backticks that are neither fields, parameters, values nor operations of the contract
// are codes, and these few others.
const no_codes = [
  'execute_code', // tools for language models
  'list_languages',
  'read_logs',
  'infrastructure_error', // verdicts
  'output_exceeded',
  'network_type', // fields of the compatible routes
  'old_name', // in a container's event
];

function all(pattern: RegExp): string[] {
  return [...contract.matchAll(pattern)].map((match) => match[1]!);
}

const listed = (pattern: RegExp): string[] =>
  all(pattern).flatMap((list) => list.split(',').map((word) => word.trim()));

test('every code that the contract names has words', () => {
  const told = new Set([
    ...all(/^\s*(?:- )?([a-z_]+):/gm),
    ...all(/[{,]\s*([a-z_]+):/g),
    ...all(/name: ([a-z_]+)/g),
    ...all(/operationId: (\w+)/g),
    ...listed(/enum:\s*\[([^\]]*)\]/g),
    ...no_codes,
  ]);
  const quoted = all(/`([a-z]+(?:_[a-z]+)+)`/g).filter((word) => !told.has(word));
  const codes = new Set([
    ...quoted,
    ...all(/\b[45]\d\d:? `([a-z_]+)`/g),
    ...listed(/\bcode: \{[^}]*enum: \[([^\]]*)\]/g),
    ...listed(/\bcode: \{[^}]*examples: \[([^\]]*)\]/g),
  ]);
  expect(codes.size).toBeGreaterThan(30);
  expect([...codes].filter((code) => !(`error.${code}` in en_problems))).toEqual([]);
});

test('what is said to be no code is in the contract', () => {
  expect(no_codes.filter((word) => !contract.includes(`\`${word}\``))).toEqual([]);
});
