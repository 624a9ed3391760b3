// What hand-written documents name in backticks, checked against the tree: paths exist, npm scripts exist, symbols occur in the code.
// Invariant: fenced code blocks are left alone; a lower-case word is taken for a command or a term, not for a symbol.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A name in a document that nothing in the tree answers to. `line` counts from 1. */
export interface UnknownName { readonly document: string; readonly line: number; readonly name: string }

const CODE_FOLDERS = ['src', 'cli', 'linux', 'web', 'tools', 'tests', 'bench', 'examples', 'types'];
/** Made by a build or an installation, so absent from a clean clone. */
const MADE = ['dist/', 'node_modules/'];
const PATH = /^(?:\.?\/)?[\w.@*-]+(?:\/[\w.@*<>-]+)*\/?$/;
const EXTENSION = /\.(?:ts|mjs|md|json|jsonl|c|h|o|pcap|pcapng|yaml|yml)$/;
const SYMBOL = /^(?:[a-z]+[A-Z]\w*|[A-Z][a-z]\w*[A-Z]\w*|[A-Z][A-Z0-9]*_\w+)(?:\(\))?$/;

/** Hand-written documents of the tree: the top-level ones and docs/, without docs/reference. */
export function handWritten(root: string): string[] {
  const docs = existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`) : [];
  return ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', ...docs].filter((name) => existsSync(join(root, name)));
}

/** Paths of the tree's own files and folders, from the root. */
function treePaths(root: string): string[] {
  const below = (folder: string): string[] =>
    existsSync(join(root, folder)) ? readdirSync(join(root, folder), { recursive: true }).map((name) => `${folder}/${String(name).replaceAll('\\', '/')}`) : [];
  return [...readdirSync(root), ...CODE_FOLDERS.concat('docs', '.ci').flatMap(below)];
}

const asPattern = (text: string): RegExp =>
  new RegExp(`^${text.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('**', '\0').replaceAll('*', '[^/]*').replaceAll('\0', '.*')}$`);

/** The text of all code, to look symbols up in. */
function codeText(root: string): string {
  const files = CODE_FOLDERS.flatMap((folder) =>
    existsSync(join(root, folder)) ? readdirSync(join(root, folder), { recursive: true }).map((name) => join(root, folder, String(name))) : [],
  );
  return files.filter((name) => /\.(?:ts|mjs|c|h)$/.test(name)).map((name) => readFileSync(name, 'utf8')).join('\n');
}

const looksLikePath = (text: string): boolean =>
  PATH.test(text) && ((text.includes('/') && CODE_FOLDERS.concat('docs', '.ci').includes(text.split('/')[0] ?? '')) || EXTENSION.test(text));

function pathExists(root: string, text: string): boolean {
  if (MADE.some((folder) => text.startsWith(folder)) || text.includes('<')) return true;
  const at = text.replace(/^\.\//, '').replace(/\/$/, '');
  if (existsSync(join(root, at))) return true;
  const pattern = asPattern(at.includes('/') ? at : `**${at}`); // a bare file name may stand anywhere
  return treePaths(root).some((path) => pattern.test(path));
}

function scriptExists(root: string, script: string): boolean {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts?: Record<string, string> };
  return script in (manifest.scripts ?? {});
}

function isKnown(root: string, code: () => string, text: string): boolean {
  const script = /^npm run ([\w:-]+)/.exec(text)?.[1];
  if (script !== undefined) return scriptExists(root, script);
  if (looksLikePath(text)) return pathExists(root, text);
  if (!SYMBOL.test(text)) return true;
  return new RegExp(`\\b${text.replace('()', '')}\\b`).test(code());
}

/** Every backticked name in one document's text that the tree at `root` doesn't know. */
export function unknownNames(root: string, document: string, text: string): UnknownName[] {
  let cached: string | undefined;
  const code = (): string => (cached ??= codeText(root));
  const lines = text.replace(/^```[\s\S]*?^```/gm, (block) => block.replace(/[^\n]/g, '')).split('\n');
  return lines.flatMap((line, at) =>
    [...line.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '').filter((name) => !isKnown(root, code, name)).map((name) => ({ document, line: at + 1, name })),
  );
}
