// Checks every import of src/, cli/, web/, linux/ and bench/ against tools/layer-table.ts: `npx tsx tools/layers.ts`. Ends with 1 when one is wrong.
// Invariant: tests beside the code (*.test.ts, *.testkit.ts) may import anything; cycles count value imports only, since types are erased.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MINT, OWNED_PACKAGES, RIMS, SRC_LAYERS, TYPES_ONLY } from './layer-table.ts';

/** One import statement of a file; `target` is a path from the root, or a package name. */
export interface Import {
  readonly file: string;
  readonly line: number;
  readonly specifier: string;
  readonly target: string;
  readonly kind: 'value' | 'type' | 'dynamic';
  readonly names: string;
}

/** A rule that an import breaks. */
export interface Violation { readonly file: string; readonly line: number; readonly message: string }

const BINDINGS = String.raw`(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\}|\w+(?:\s*,\s*(?:\{[^}]*\}|\*\s+as\s+\w+))?)`;
const STATIC_IMPORT = new RegExp(String.raw`^[ \t]*(?:import|export)\s*(?:(?<names>${BINDINGS})\s*from\s*)?['"](?<specifier>[^'"\n]+)['"]`, 'gm');
const DYNAMIC_IMPORT = /\bimport\(\s*['"](?<specifier>[^'"\n]+)['"]\s*\)/g;
const SOURCES = ['src', 'cli', 'web', 'linux', 'bench'];

const isTest = (file: string): boolean => /\.(test|testkit)\.ts$/.test(file);
const posix = (path: string): string => path.replaceAll('\\', '/');

function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Comments blanked out, line breaks kept, so that an example in a comment is no import. */
const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' ')).replace(/^[ \t]*\/\/.*$/gm, '');

function importsOf(root: string, path: string): Import[] {
  const text = withoutComments(readFileSync(path, 'utf8'));
  const file = posix(relative(root, path));
  const make = (match: RegExpExecArray, dynamic: boolean): Import => {
    const specifier = match.groups?.['specifier'] ?? '';
    const names = (match.groups?.['names'] ?? '').trim();
    const target = specifier.startsWith('.') ? posix(relative(root, resolve(dirname(path), specifier))) : specifier;
    const kind = dynamic ? 'dynamic' : /^type\b/.test(names) ? 'type' : 'value';
    return { file, line: text.slice(0, match.index).split('\n').length, specifier, target, kind, names };
  };
  return [
    ...[...text.matchAll(STATIC_IMPORT)].map((match) => make(match, false)),
    ...[...text.matchAll(DYNAMIC_IMPORT)].map((match) => make(match, true)),
  ];
}

/** Every import of the tree at `root` that the layers speak about. */
export function collectImports(root: string): Import[] {
  return SOURCES.flatMap((folder) => filesUnder(join(root, folder))).filter((path) => !isTest(path)).flatMap((path) => importsOf(root, path));
}

const isPackage = (item: Import): boolean => !item.specifier.startsWith('.');
const srcFolder = (path: string): string | undefined => /^src\/([^/]+)\//.exec(path)?.[1];

function srcProblem(item: Import): string | undefined {
  const from = srcFolder(item.file);
  if (item.specifier.startsWith('node:')) return 'src/ runs in any JavaScript host: no node: imports';
  if (isPackage(item)) return `the core has no runtime dependencies, so not '${item.specifier}'`;
  if (item.target === 'src/index.ts') return 'nothing inside src/ imports src/index.ts';
  if (!item.target.startsWith('src/')) return `src/ imports only from src/, not ${item.target}`;
  const to = srcFolder(item.target);
  if (from === undefined) return undefined; // src/index.ts, the barrel
  if (to === undefined) return `not ${item.target}`;
  if (from === to) return undefined;
  const allowed = SRC_LAYERS[from];
  if (allowed === undefined) return `src/${from} is no layer of tools/layer-table.ts`;
  if (!allowed.includes(to)) return `src/${from} may not import from src/${to} (it may from: ${allowed.join(' ') || 'nothing'})`;
  const typesOnly = TYPES_ONLY.some(([a, b]) => a === from && b === to);
  return typesOnly && item.kind !== 'type' && item.names !== '' && !MINT.allowed.some((path) => item.file.startsWith(path))
    ? `src/${from} may import only types from src/${to}`
    : undefined;
}

function rimProblem(item: Import, rim: string): string | undefined {
  if (isPackage(item) || item.target.startsWith(`${rim}/`) || item.target === 'package.json') return undefined;
  const rule = RIMS[rim];
  const fits = (paths: readonly string[]): boolean => paths.some((path) => item.target === path || (path.endsWith('/') && item.target.startsWith(path)));
  if (rule === undefined || fits(rule.static)) return undefined;
  if (item.kind === 'type' && fits(rule.dynamic)) return undefined;
  if (fits(rule.dynamic)) return item.kind === 'dynamic' ? undefined : `${rim}/ imports ${item.target} only by import()`;
  return `${rim}/ may not import ${item.target} (it may: ${[...rule.static, ...rule.dynamic].join(' ')})`;
}

function problemOf(item: Import): string | undefined {
  const owner = OWNED_PACKAGES[item.specifier];
  if (owner !== undefined && !item.file.startsWith(owner)) return `only ${owner} imports ${item.specifier}`;
  if (item.names.includes(MINT.symbol) && !MINT.allowed.some((path) => item.file.startsWith(path))) {
    return `${MINT.symbol} is for ${MINT.allowed.join(' and ')} alone (invariant I3)`;
  }
  const top = item.file.split('/')[0] ?? '';
  return top === 'src' ? srcProblem(item) : rimProblem(item, top);
}

/** Value-import cycles among files, each given once by its files in order. */
export function findCycles(imports: readonly Import[]): string[][] {
  const next = new Map<string, string[]>();
  for (const item of imports) {
    if (item.kind !== 'value' || isPackage(item)) continue;
    next.set(item.file, [...(next.get(item.file) ?? []), item.target]);
  }
  const done = new Set<string>();
  const cycles: string[][] = [];
  const walk = (file: string, path: string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) cycles.push([...path.slice(at), file]);
    if (at >= 0 || done.has(file)) return;
    for (const target of next.get(file) ?? []) walk(target, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) walk(file, []);
  return cycles;
}

/** Everything in the tree at `root` that breaks the layers. */
export function checkLayers(root: string): Violation[] {
  const imports = collectImports(root);
  const violations = imports.flatMap((item): Violation[] => {
    const message = problemOf(item);
    return message === undefined ? [] : [{ file: item.file, line: item.line, message }];
  });
  for (const cycle of findCycles(imports)) violations.push({ file: cycle[0] ?? '', line: 1, message: `import cycle: ${cycle.join(' → ')}` });
  return violations;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const violations = checkLayers(resolve(import.meta.dirname, '..'));
  for (const { file, line, message } of violations) console.error(`${file}:${line}: ${message}`);
  if (violations.length > 0) process.exitCode = 1;
  else console.log('layers: every import points down');
}
