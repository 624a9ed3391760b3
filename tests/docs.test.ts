// Documents say what is: the generated reference is up to date, and what hand-written documents name in backticks exists.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { handWritten, unknownNames } from '../tools/docs-names.ts';
import { stalePages, writePages } from '../tools/generate-docs.ts';

const ROOT = resolve(import.meta.dirname, '..');
const tree = mkdtempSync(join(tmpdir(), 'docs-'));
mkdirSync(join(tree, 'src/util'), { recursive: true });
writeFileSync(join(tree, 'src/util/errors.ts'), '/** Wrong use. */\nexport class UsageError extends BpfkitError {\n  readonly exitCode = 2;\n}\n');
writeFileSync(join(tree, 'package.json'), '{ "scripts": { "docs": "x" } }');
afterAll(() => rmSync(tree, { recursive: true, force: true }));

describe('the generated reference', () => {
  it('is up to date', () => {
    expect(stalePages(ROOT)).toEqual([]);
  });

  it('is told when it is stale, incomplete or has strangers', () => {
    expect(stalePages(tree)).toContain('helpers.md');
    writePages(tree);
    expect(stalePages(tree)).toEqual([]);
    writeFileSync(join(tree, 'docs/reference/helpers.md'), 'old');
    writeFileSync(join(tree, 'docs/reference/stranger.md'), 'new');
    expect(stalePages(tree)).toEqual(['helpers.md', 'stranger.md']);
  });
});

describe('names in backticks', () => {
  it.each(handWritten(ROOT))('of %s exist', (document) => {
    expect(unknownNames(ROOT, document, readFileSync(join(ROOT, document), 'utf8'))).toEqual([]);
  });

  it('are missed when they are gone', () => {
    const text = '`src/util/gone.ts` `src/util/` `npm run docs` `npm run gone` `UsageError` `GoneError`\n```\n`src/none.ts`\n```\n`goneToo()` and `word`\n';
    const names = unknownNames(tree, 'README.md', text).map(({ line, name }) => `${line} ${name}`);
    expect(names).toEqual(['1 src/util/gone.ts', '1 npm run gone', '1 GoneError', '5 goneToo()']);
  });
});
