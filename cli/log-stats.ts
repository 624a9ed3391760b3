// The statistics at the end of a verifier log, and the verdict's message before them: the same text from both kernels.
// Source: kernel/bpf/verifier.c print_verification_stats, Linux 6.18.

/** Counters of the log's last lines; undefined where the log doesn't have them. */
export interface LogStats {
  readonly processed_insns?: number;
  readonly total_states?: number;
  readonly peak_states?: number;
  readonly stack_depth?: string;
  readonly time_us?: number;
}

const STATS_LINE = /^(processed \d+ insns|verification time \d+ usec|stack depth [\d+]+)/;

/** Reads the statistics out of a log. */
export function logStats(log: string): LogStats {
  const processed = /^processed (\d+) insns .*total_states (\d+) peak_states (\d+)/m.exec(log);
  const time = /^verification time (\d+) usec/m.exec(log);
  const depth = /^stack depth ([\d+]+)/m.exec(log);
  return {
    ...(processed === null ? {} : { processed_insns: Number(processed[1]), total_states: Number(processed[2]), peak_states: Number(processed[3]) }),
    ...(depth?.[1] === undefined ? {} : { stack_depth: depth[1] }),
    ...(time === null ? {} : { time_us: Number(time[1]) }),
  };
}

/** The last line before the statistics: why a program was rejected. '' for an empty log. */
export function verdictMessage(log: string): string {
  return log.split('\n').filter((line) => line !== '' && !STATS_LINE.test(line)).at(-1) ?? '';
}
