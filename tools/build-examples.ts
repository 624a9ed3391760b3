// Rebuilds the committed example objects from their C sources: `npm run examples:build`. Says so and does nothing where clang is missing.
// Invariant: compiler and flags of what is committed stand in examples/BUILD.json, written by the same run.

import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../examples');
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

function sources(): string[] {
  return readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.bpf.c')).sort();
}

const clang = compiler();
if (clang === undefined) {
  console.log(`examples:build: none of ${COMPILERS.join(', ')} is installed; the committed objects stay as they are`);
} else {
  for (const source of sources()) {
    const folder = join(ROOT, source, '..');
    const file = basename(source);
    execFileSync(clang, [...FLAGS, '-c', file, '-o', file.replace(/\.c$/, '.o')], { cwd: folder, stdio: 'inherit' });
    console.log(`built examples/${source.replace(/\.c$/, '.o')}`);
  }
  const version = execFileSync(clang, ['--version'], { encoding: 'utf8' }).split('\n')[0];
  writeFileSync(join(ROOT, 'BUILD.json'), `${JSON.stringify({ compiler: version, flags: FLAGS, objects: sources().map((s) => s.replace(/\.c$/, '.o')) }, null, 2)}\n`);
}
