// Writes docs/reference from the tables: `npm run docs`. With --check writes nothing and ends with 1 when a page is stale.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { referencePages } from './docs-pages.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** Where the generated pages stand, from the root. */
export const REFERENCE = 'docs/reference';

const pagesOf = (root: string): Readonly<Record<string, string>> => referencePages(readFileSync(join(root, 'src/util/errors.ts'), 'utf8'));

/** Names of the pages that differ from what the tables give, and of files there that no table gives. */
export function stalePages(root: string): string[] {
  const folder = join(root, REFERENCE);
  const pages = pagesOf(root);
  const differs = (name: string): boolean => !existsSync(join(folder, name)) || readFileSync(join(folder, name), 'utf8') !== pages[name];
  const strangers = existsSync(folder) ? readdirSync(folder).filter((name) => !(name in pages)) : [];
  return [...Object.keys(pages).filter(differs), ...strangers];
}

/** Writes every page. */
export function writePages(root: string): void {
  mkdirSync(join(root, REFERENCE), { recursive: true });
  for (const [name, text] of Object.entries(pagesOf(root))) writeFileSync(join(root, REFERENCE, name), text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) {
    const stale = stalePages(ROOT);
    for (const name of stale) console.error(`${REFERENCE}/${name} is stale: run npm run docs`);
    if (stale.length > 0) process.exitCode = 1;
    else console.log('docs: the reference is up to date');
  } else writePages(ROOT);
}
