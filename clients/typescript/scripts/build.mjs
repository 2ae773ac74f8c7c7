// Builds dist/: the same sources as ES modules and, for require(), as CommonJS.
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));

function compile(project) {
  const { status } = spawnSync(process.execPath, [tsc, '-p', project], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

rmSync(`${root}dist`, { recursive: true, force: true });
compile(root);

// The package.json above a file decides which kind of module it becomes.
const other = `${root}build/`;
rmSync(other, { recursive: true, force: true });
cpSync(`${root}src`, `${other}src`, { recursive: true });
writeFileSync(`${other}package.json`, '{ "type": "commonjs" }\n');
writeFileSync(`${other}tsconfig.json`, JSON.stringify({
  extends: '../tsconfig.json',
  compilerOptions: { rootDir: './src', outDir: '../dist/cjs' },
  include: ['src'],
}));
compile(other);
writeFileSync(`${root}dist/cjs/package.json`, '{ "type": "commonjs" }\n');
rmSync(other, { recursive: true, force: true });
