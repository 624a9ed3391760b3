// Rebuilds the committed objects of the examples and benchmarks from their C sources: `npm run examples:build`. Says so and does nothing where
// clang is missing. Invariant: compiler and flags of what is committed stand in each folder's BUILD.json, written by the same run.

import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

const FOLDERS = ['examples', 'bench/programs'] as const;
const ROOT = resolve(import.meta.dirname, '..');
const FLAGS = ['-O2', '-g', '-Wall', '-Werror', '-target', 'bpf', '-mcpu=v3', '-fdebug-compilation-dir=.', '-I/usr/include/x86_64-linux-gnu'];
const COMPILERS = ['clang-19', 'clang'];

function compiler(): string | undefined {
  return COMPILERS.find((name) => {
    try {
      execFileSync(name, ['--version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.bpf.c')).sort();
}

const objectOf = (source: string): string => source.replace(/\.c$/, '.o');

function buildFolder(clang: string, name: string): void {
  const folder = join(ROOT, name);
  for (const source of sources(folder)) {
    const file = basename(source);
    execFileSync(clang, [...FLAGS, '-c', file, '-o', objectOf(file)], { cwd: join(folder, source, '..'), stdio: 'inherit' });
    console.log(`built ${name}/${objectOf(source)}`);
  }
  const version = execFileSync(clang, ['--version'], { encoding: 'utf8' }).split('\n')[0];
  writeFileSync(join(folder, 'BUILD.json'), `${JSON.stringify({ compiler: version, flags: FLAGS, objects: sources(folder).map(objectOf) }, null, 2)}\n`);
}

const clang = compiler();
if (clang === undefined) console.log(`examples:build: none of ${COMPILERS.join(', ')} is installed; the committed objects stay as they are`);
else for (const folder of FOLDERS) buildFolder(clang, folder);
