// Bundles the library, the CLI and the real-kernel back end into dist/ with esbuild: `npm run build`. Takes well under a second.
// Plain JavaScript so that `npm start` needs nothing built beforehand.

import { build } from 'esbuild';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = resolve(import.meta.dirname, '..');

/** Gives esbuild's stand-in for require() the real one. Only the command's file gets it, for the CommonJS package in it, so that the library names no Node module (I1). */
const REQUIRE = "import { createRequire as __createRequire } from 'node:module'; globalThis.require ??= __createRequire(import.meta.url);\n";

/** Writes one output file; returns its size in bytes. */
function writeOutput(file) {
  const shebang = file.text.startsWith('#!') ? file.text.slice(0, file.text.indexOf('\n') + 1) : '';
  const text = file.text.includes('__require("') ? shebang + REQUIRE + file.text.slice(shebang.length) : file.text;
  mkdirSync(dirname(file.path), { recursive: true });
  writeFileSync(file.path, text);
  return Buffer.byteLength(text);
}

/** Bundles everything into a folder of the repository; returns the size in bytes of each output file. */
export async function bundle(outdir = 'dist') {
  for (const name of ['cli.js', 'index.js', 'linux.js', 'chunks']) rmSync(resolve(ROOT, outdir, name), { recursive: true, force: true });
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: { cli: 'cli/main.ts', index: 'src/index.ts', linux: 'linux/index.ts' },
    outdir,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['koffi'],
    minifySyntax: true,
    minifyWhitespace: true,
    write: false,
    logLevel: 'warning',
  });
  return Object.fromEntries(result.outputFiles.map((file) => [relative(ROOT, file.path), writeOutput(file)]));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const sizes = await bundle();
  for (const [path, bytes] of Object.entries(sizes)) console.log(`${path}: ${(bytes / 1024).toFixed(0)} KiB`);
}
