// Results as lines: JSON for tools, a table for people.
// Invariant: a ratio to the kernel stands raw and net of the test run's own loop, never raw alone.

import type { BenchResult } from './measure.ts';
import { SUITE } from './suite.ts';

const round = (ns: number): number => Math.round(ns * 100) / 100;

/** One result as a JSON line. `ns_net_best` (kernel): without BPF_PROG_TEST_RUN's loop; `ns_bare_best`, `ns_runner_best` (jit): see measure.ts. */
export function jsonLine(result: BenchResult, loopNs: number | undefined): string {
  const { program, group, engine, figure, bare, runner } = result;
  return JSON.stringify({
    program, group, engine, ns_best: round(figure.best), ns_median: round(figure.median), windows: figure.windows,
    ...(engine === 'kernel' && loopNs !== undefined ? { ns_net_best: round(figure.best - loopNs) } : {}),
    ...(bare === undefined || runner === undefined ? {} : { ns_bare_best: round(bare.best), ns_runner_best: round(runner.best) }),
  });
}

const ns = (value: number | undefined): string => (value === undefined ? '-' : value < 100 ? value.toFixed(1) : value.toFixed(0));
const ratio = (value: number | undefined): string => (value === undefined || !Number.isFinite(value) ? '-' : value.toFixed(2));

interface Row {
  readonly name: string;
  readonly about: string;
  readonly group: string;
  readonly jit: BenchResult | undefined;
  readonly interp: BenchResult | undefined;
  readonly kernel: BenchResult | undefined;
  readonly netNs: number | undefined;
  readonly raw: number | undefined;
  readonly net: number | undefined;
}

function rowsOf(results: readonly BenchResult[], loopNs: number | undefined): Row[] {
  return SUITE.filter(({ name }) => results.some((result) => result.program === name)).map(({ name, about, group }) => {
    const of = (engine: string): BenchResult | undefined => results.find((result) => result.program === name && result.engine === engine);
    const [jit, interp, kernel] = [of('jit'), of('interp'), of('kernel')];
    const netNs = kernel === undefined || loopNs === undefined ? undefined : kernel.figure.best - loopNs;
    const over = (base: number | undefined): number | undefined => (jit === undefined || base === undefined || base <= 0 ? undefined : jit.figure.best / base);
    return { name, about, group, jit, interp, kernel, netNs, raw: over(kernel?.figure.best), net: over(netNs) };
  });
}

function line(cells: readonly string[], widths: readonly number[]): string {
  return cells.map((cell, i) => (i < 1 ? cell.padEnd(widths[i] as number) : i === cells.length - 1 ? cell : cell.padStart(widths[i] as number))).join('  ').trimEnd();
}

function cellsOf(row: Row, host: boolean): string[] {
  const { jit, interp, kernel } = row;
  const kernelCells = host ? [ns(kernel?.figure.best), ns(kernel?.figure.median), ns(row.netNs), ratio(row.raw), ratio(row.net)] : [];
  return [row.name, ns(jit?.figure.best), ns(jit?.figure.median), ns(jit?.bare?.best), ns(jit?.runner?.best), ns(interp?.figure.best), ...kernelCells, row.about];
}

const geometricMean = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : Math.exp(values.reduce((total, value) => total + Math.log(value), 0) / values.length);

function meanCells(name: string, rows: readonly Row[], host: boolean): string[] {
  const mean = (pick: (row: Row) => number | undefined): number | undefined => geometricMean(rows.map(pick).filter((value) => value !== undefined));
  const kernelCells = host ? [ns(mean((row) => row.kernel?.figure.best)), '', ns(mean((row) => row.netNs)), ratio(mean((row) => row.raw)), ratio(mean((row) => row.net))] : [];
  return [name, ns(mean((row) => row.jit?.figure.best)), '', ns(mean((row) => row.jit?.bare?.best)), ns(mean((row) => row.jit?.runner?.best)), ns(mean((row) => row.interp?.figure.best)), ...kernelCells, `${rows.length} programs`];
}

/** The table with geometric means by group. `loopNs`: what of the kernel's figures is its test run's loop; undefined without a kernel. */
export function table(results: readonly BenchResult[], loopNs: number | undefined): string[] {
  const host = loopNs !== undefined;
  const rows = rowsOf(results, loopNs);
  const groups = [...new Set(rows.map((row) => row.group))];
  const head = ['ns per run', 'jit', 'median', 'bare', 'runner', 'interp', ...(host ? ['kernel', 'median', 'net', 'jit/kernel', 'jit/net'] : []), ''];
  const body = rows.map((row) => cellsOf(row, host));
  const means = [...groups.map((group) => meanCells(`mean of ${group}`, rows.filter((row) => row.group === group), host)), meanCells('mean of all', rows, host)];
  const widths = head.map((_, i) => Math.max(...[head, ...body, ...means].map((cells) => (cells[i] ?? '').length)));
  return [line(head, widths), ...body.map((cells) => line(cells, widths)), '', ...means.map((cells) => line(cells, widths))];
}

/** What the columns mean. `pinned`: whether the measuring processes were bound to one CPU. */
export function legend(loopNs: number | undefined, pinned: boolean): string[] {
  return [
    `Best windows; median beside it; ${pinned ? 'bound to the last CPU' : 'not bound to a CPU'}, engines in turn, each program in a process of its own.`,
    'jit, interp: executable.run with the context laid out anew for each of 1,024 packets; bare: one packet, its context left alone; runner:',
    'PacketRunner.run, the entry of `bpfkit run`, which copies each packet in. The runtime of one CPU takes no locks, the kernel does. Means are geometric.',
    ...(loopNs === undefined ? [] : [
      `kernel: BPF_PROG_TEST_RUN on one packet; net: without the ${loopNs.toFixed(1)} ns of its loop (drop less an empty call, measured by 16 of them). jit/net still has our loop in it.`,
    ]),
  ];
}
