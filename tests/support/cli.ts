// The bpfkit command as users start it: a bundle made once per test file, run in child processes.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');

/** What a run of the command gave. */
export interface CliResult { readonly status: number | null; readonly stdout: string; readonly stderr: string; readonly bytes: Uint8Array }

/** A bundle of the command and a folder for files. Made by `makeCli`, taken away by `remove`. */
export interface Cli {
  readonly folder: string;
  /** Path of a file in the folder. */
  file(name: string): string;
  /** Runs `bpfkit ARGS` in the repository's root. */
  run(args: readonly string[], input?: Uint8Array | string): CliResult;
  /** The command line before the arguments, for pipes in a shell. */
  readonly command: string;
  remove(): void;
}

const TIMEOUT_MS = 60_000;

/** Bundles the command into a folder of its own. */
export async function makeCli(): Promise<Cli> {
  const { bundle } = (await import('../../tools/build.mjs' as string)) as { bundle(outdir: string): Promise<unknown> };
  const dist = `dist/cli-test-${process.pid}`;
  await bundle(dist);
  const folder = mkdtempSync(join(tmpdir(), 'bpfkit-cli-'));
  const main = resolve(ROOT, dist, 'cli.js');
  return {
    folder, command: `${process.execPath} ${main}`,
    file: (name) => join(folder, name),
    run: (args, input) => {
      const child = spawnSync(process.execPath, [main, ...args], { cwd: ROOT, timeout: TIMEOUT_MS, maxBuffer: 1 << 28, ...(input === undefined ? {} : { input }) });
      return { status: child.status, stdout: child.stdout.toString('utf8'), stderr: child.stderr.toString('utf8'), bytes: new Uint8Array(child.stdout) };
    },
    remove: () => {
      rmSync(resolve(ROOT, dist), { recursive: true, force: true });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The lines of stdout, each of which has to be a JSON object. */
export function jsonLines(result: CliResult): Record<string, unknown>[] {
  return result.stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
}
