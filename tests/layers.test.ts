// The layer check sees what it is there to see: each rule has a planted violation, in a tree of its own. The project itself is clean.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { checkLayers } from '../tools/layers.ts';

const trees: string[] = [];
afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true, force: true });
});

function plant(files: Readonly<Record<string, string>>): readonly string[] {
  const root = mkdtempSync(join(tmpdir(), 'layers-'));
  trees.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return checkLayers(root).map(({ file, line, message }) => `${file}:${line}: ${message}`);
}

describe('planted violations', () => {
  it('an import that points up', () => {
    const found = plant({ 'src/spec/a.ts': "// why\nimport { b } from '../verifier/b.ts';\nb;\n", 'src/verifier/b.ts': 'export const b = 1;\n' });
    expect(found).toEqual(['src/spec/a.ts:2: src/spec may not import from src/verifier (it may from: util)']);
  });

  it('verifier, interp and jit importing each other', () => {
    for (const [from, to] of [['verifier', 'interp'], ['interp', 'jit'], ['jit', 'interp'], ['jit', 'verifier']] as const) {
      expect(plant({ [`src/${from}/a.ts`]: `import type { B } from '../${to}/b.ts';\n` })).toHaveLength(1);
    }
  });

  it('a multi-line import, an export from, and an import()', () => {
    expect(plant({ 'src/util/a.ts': "import {\n  x,\n  y,\n} from '../spec/b.ts';\n" })).toHaveLength(1);
    expect(plant({ 'src/util/a.ts': "export * from '../spec/b.ts';\n" })).toHaveLength(1);
    expect(plant({ 'src/util/a.ts': "const b = await import('../spec/b.ts');\n" })).toHaveLength(1);
  });

  it('node: or a package in src/', () => {
    expect(plant({ 'src/util/a.ts': "import { readFileSync } from 'node:fs';\n" })[0]).toContain('no node: imports');
    expect(plant({ 'src/util/a.ts': "import x from 'lodash';\n" })[0]).toContain('no runtime dependencies');
  });

  it('koffi outside linux/', () => {
    expect(plant({ 'cli/a.ts': "const koffi = await import('koffi');\n" })[0]).toContain('only linux/ imports koffi');
    expect(plant({ 'linux/a.ts': "const koffi = await import('koffi');\n" })).toEqual([]);
  });

  it('a VerifiedProgram made elsewhere', () => {
    const text = "import { mintVerifiedProgram } from '../insn/verified-program.ts';\n";
    expect(plant({ 'src/kernel/a.ts': text })[0]).toContain('invariant I3');
    expect(plant({ 'src/verifier/a.ts': text })).toEqual([]);
    expect(plant({ 'src/vm/raw-program.ts': text })).toEqual([]);
  });

  it('the barrel imported from inside', () => {
    expect(plant({ 'src/loader/a.ts': "import { open } from '../index.ts';\n" })[0]).toContain('nothing inside src/ imports src/index.ts');
  });

  it('the command line reaching past the library, or loading linux/ at once', () => {
    expect(plant({ 'cli/a.ts': "import { verify } from '../src/verifier/verify.ts';\n" })).toHaveLength(1);
    expect(plant({ 'cli/a.ts': "import { open } from '../linux/index.ts';\n" })[0]).toContain('only by import()');
    expect(plant({ 'cli/a.ts': "import { open } from '../src/index.ts';\nawait import('../linux/index.ts');\n" })).toEqual([]);
  });

  it('a folder that is no layer', () => {
    expect(plant({ 'src/misc/a.ts': "import { x } from '../util/x.ts';\n" })[0]).toContain('is no layer');
  });

  it('a cycle of values, but not of types', () => {
    const a = "import { b } from './b.ts';\nexport const a = b;\n";
    expect(plant({ 'src/util/a.ts': a, 'src/util/b.ts': "import { a } from './a.ts';\nexport const b = a;\n" })[0]).toContain('import cycle');
    expect(plant({ 'src/util/a.ts': a, 'src/util/b.ts': "import type { a } from './a.ts';\nexport const b = 1;\n" })).toEqual([]);
  });

  it('nothing in comments or tests', () => {
    expect(plant({ 'src/util/a.ts': "/* e.g.\nimport { x } from '../jit/x.ts';\n*/\n// import { y } from '../jit/y.ts';\n" })).toEqual([]);
    expect(plant({ 'src/util/a.test.ts': "import { x } from '../jit/x.ts';\nimport { it } from 'vitest';\n" })).toEqual([]);
  });
});

describe('this project', () => {
  it('imports downwards only', () => {
    expect(checkLayers(resolve(import.meta.dirname, '..'))).toEqual([]);
  });
});
