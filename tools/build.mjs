// Bundles the library, the CLI and the real-kernel back end into dist/ with esbuild: `npm run build`. Takes well under a second.
// Plain JavaScript so that `npm start` needs nothing built beforehand.

import { build } from 'esbuild';
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = resolve(import.meta.dirname, '..');

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
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
    minifySyntax: true,
    minifyWhitespace: true,
    metafile: true,
    logLevel: 'warning',
  });
  return Object.fromEntries(Object.entries(result.metafile.outputs).map(([path, output]) => [path, output.bytes]));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const sizes = await bundle();
  for (const [path, bytes] of Object.entries(sizes)) console.log(`${path}: ${(bytes / 1024).toFixed(0)} KiB`);
}
