// The CLI's contract (design section 3), each command in a child process: exit codes, JSON lines and nothing else on stdout, `-` for stdin and stdout,
// and for every wrong input one clear line on stderr, exit code 2, and no half-written file.

import { execSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCapture } from '../src/formats/capture-reader.ts';
import { PcapWriter } from '../src/formats/pcap-writer.ts';
import { jsonLines, makeCli, type Cli, type CliResult } from './support/cli.ts';
import { pcapng } from './support/pcapng.ts';

const TRACKER = 'examples/flow-tracker/flow_tracker.bpf.o';
const FIREWALL = 'examples/firewall/firewall.bpf.o';
const EVENTS = 'tests/objects/events.bpf.o';
const CAPTURE = 'examples/captures/mixed.pcap';
const BLOCKLIST = 'blocklist4=examples/firewall/blocklist4.json';
const PACKETS = readCapture(new Uint8Array(readFileSync(CAPTURE))).packets;
const RUN = ['run', TRACKER, '--pcap', CAPTURE];

let cli: Cli;
beforeAll(async () => {
  cli = await makeCli();
}, 60_000);
afterAll(() => cli.remove());

const text = (name: string, content: string | Uint8Array): string => {
  writeFileSync(cli.file(name), content);
  return cli.file(name);
};

/** Wrong input: exit code 2, one line on stderr that says it, no trace. */
function expectUsageError(result: CliResult, words: RegExp): void {
  expect(result.stderr).toMatch(words);
  expect(result.stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(result.stderr).toMatch(/^bpfkit: /);
  expect(result.stderr).not.toMatch(/\n\s+at |internal error/);
  expect(result.status).toBe(2);
}

/** The totals line of a run with --json. */
const totals = (result: CliResult): Record<string, unknown> => jsonLines(result).find((line) => line['type'] === 'totals') ?? {};
/** What must not depend on how the run was made. */
function counts(result: CliResult): unknown {
  const { packets, bytes, verdicts } = totals(result);
  return { packets, bytes, verdicts };
}
const mapLine = (result: CliResult, name: string): unknown => jsonLines(result).find((line) => line['type'] === 'map' && line['name'] === name)?.['entries'];
const sumOf = (values: unknown): unknown => (Array.isArray(values) ? values.reduce((all: number, each: { value: number }) => all + each.value, 0) : undefined);
/** Elements of a map with per-CPU values summed, in no order. */
function mapSums(result: CliResult, name: string): string[] {
  return (mapLine(result, name) as { key: unknown; value?: unknown; values?: unknown }[]).map(({ key, value, values }) => JSON.stringify([key, value ?? sumOf(values)])).sort();
}

describe('verify', () => {
  test('an accepted program: exit code 0, one JSON line with every field', () => {
    const result = cli.run(['verify', TRACKER, '--json']);
    expect(result.status).toBe(0);
    expect(result.stderr).toBe('');
    const [line, ...more] = jsonLines(result);
    expect(more).toEqual([]);
    expect(line).toMatchObject({
      object: TRACKER, section: 'xdp', program: 'flow_tracker', type: 'BPF_PROG_TYPE_XDP', insns: 207, verdict: 'accept', errno: 0, message: '',
      processed_insns: 617, total_states: 50, peak_states: 48, stack_depth: '80',
    });
    expect(line?.['time_us']).toBeGreaterThan(0);
    expect(line).not.toHaveProperty('log');
  });

  test('several programs: a line for each, the rejected one with the verifier\'s message, exit code 1', () => {
    const result = cli.run(['verify', EVENTS, '--json']);
    expect(result.status).toBe(1);
    const lines = jsonLines(result);
    expect(lines.map((line) => [line['program'], line['verdict']])).toEqual([['last', 'accept'], ['tell', 'accept'], ['careless', 'reject'], ['spare', 'accept']]);
    expect(lines[2]).toMatchObject({ errno: 13, message: 'R1 offset is outside of the packet', processed_insns: 2 });
    expect(lines[3]).toMatchObject({ autoload: false, section: 'tc' });
    expect(lines[1]).not.toHaveProperty('autoload');
  });

  test('text output, chosen programs', () => {
    const result = cli.run(['verify', EVENTS, '--prog', 'careless', '--prog', 'spare']);
    expect(result.status).toBe(1);
    expect(result.stdout).toMatch(/^careless: rejected: R1 offset is outside of the packet \(2 instructions processed/);
    expect(result.stdout.trim().split('\n')).toHaveLength(2);
  });

  test('without a verdict: "error", exit code 2', () => {
    const result = cli.run(['verify', 'tests/objects/externs.bpf.o', '--json']);
    expect(result.status).toBe(2);
    const lines = jsonLines(result).filter((line) => line['verdict'] !== 'accept');
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).toMatchObject({ verdict: 'error', message: expect.stringMatching(/^not supported yet: extern symbol/) as unknown });
  });

  test('--log-level brings the log, with instructions, source lines and statistics', () => {
    const [line] = jsonLines(cli.run(['verify', EVENTS, '--prog', 'careless', '--json', '--log-level', '2']));
    const log = String(line?.['log']);
    expect(log).toContain('; unsigned char *data = (void *)(long)ctx->data;');
    expect(log).toMatch(/^0: \(61\) r1 = \*\(u32 \*\)\(r1 \+0\)/m);
    expect(log).toMatch(/processed 2 insns \(limit 1000000\)/);
    expect(log.match(/verification time \d+ usec/g)).toHaveLength(1);
    const { stdout } = cli.run(['verify', EVENTS, '--prog', 'careless', '--log-level', '1']);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^careless: rejected: /);
  });

  test('without capabilities', () => {
    const socket = jsonLines(cli.run(['verify', 'examples/socket-filter/socket_filter.bpf.o', '--unpriv', '--json']))[0];
    expect(socket?.['verdict']).toBe('accept');
    const xdp = cli.run(['verify', TRACKER, '--caps', 'none', '--json']);
    expect(jsonLines(xdp)[0]).toMatchObject({ verdict: 'error', errno: 1 });
    expect(xdp.status).toBe(2);
  });

  test('an object from stdin', () => {
    expect(cli.run(['verify', '-'], readFileSync(TRACKER)).stdout).toMatch(/^flow_tracker: accepted/);
  });

  test('wrong usage', () => {
    expectUsageError(cli.run(['verify', TRACKER, '--kernel', '9.9']), /unknown kernel version '9\.9'/);
    expectUsageError(cli.run(['verify', TRACKER, '--prog', 'nope']), /no program 'nope' in the object; there are: flow_tracker/);
    expectUsageError(cli.run(['verify', TRACKER, '--log-level', '16']), /--log-level takes a whole number from 0 to 15/);
    expectUsageError(cli.run(['verify', TRACKER, '--caps', 'root']), /unknown capability 'root'/);
    expectUsageError(cli.run(['verify', TRACKER, '--btf', 'nofile']), /nofile: no such file/);
    expectUsageError(cli.run(['verify']), /missing required argument/);
    expectUsageError(cli.run(['nonsense']), /unknown command 'nonsense'/);
    expectUsageError(cli.run(['verify', TRACKER, '--nonsense']), /unknown option '--nonsense'/);
    expect(cli.run(['--help']).status).toBe(0);
    expect(cli.run(['run', '--help']).stdout).toContain('--pcap <file>');
  });
});

describe('unreadable input', () => {
  test('objects', () => {
    const object = readFileSync(TRACKER);
    expectUsageError(cli.run(['verify', 'nofile.o']), /nofile\.o: no such file/);
    expectUsageError(cli.run(['verify', cli.folder]), /: is a directory/);
    expectUsageError(cli.run(['verify', text('cut.o', object.subarray(0, 3000))]), /cut\.o: ELF.*truncated/);
    expectUsageError(cli.run(['verify', text('empty.o', '')]), /empty\.o: .*the file is empty/);
    expectUsageError(cli.run(['run', text('garbage.o', 'no object at all'), '--pcap', CAPTURE]), /garbage\.o: .*not an ELF file/);
    expectUsageError(cli.run(['disasm', cli.file('cut.o')]), /cut\.o: /);
    expectUsageError(cli.run(['test-run', cli.file('garbage.o'), '--prog', 'x']), /garbage\.o: /);
  });

  test('captures: what was whole is still told, exit code 2', () => {
    const capture = readFileSync(CAPTURE);
    expectUsageError(cli.run(['run', TRACKER, '--pcap', 'nofile.pcap']), /nofile\.pcap: no such file/);
    expectUsageError(cli.run(['run', TRACKER, '--pcap', cli.folder]), /: is a directory/);
    expectUsageError(cli.run(['run', TRACKER, '--pcap', text('garbage.pcap', 'no capture')]), /garbage\.pcap: .*neither pcap nor pcapng/);
    const cut = cli.run(['run', TRACKER, '--pcap', text('cut.pcap', capture.subarray(0, 1000)), '--json', '--pcap-out', cli.file('of-cut.pcap'), '--maps-out', cli.file('of-cut.json')]);
    expectUsageError(cut, /cut\.pcap: pcap, offset \d+: .*9 packets before it are whole/);
    expect(counts(cut)).toMatchObject({ packets: 9 });
    expectUsageError(cli.run(['run', TRACKER, '--pcap', text('cut.pcap.gz', gzipSync(capture).subarray(0, 4000))]), /cut\.pcap\.gz: gzip/);
    expect(readdirSync(cli.folder).filter((name) => name.startsWith('of-cut'))).toEqual([]);
  });

  test('map files: the file, the element and the field are named', () => {
    const withMap = (name: string, content: string): CliResult => cli.run(['run', FIREWALL, '--pcap', CAPTURE, '--map', `blocklist4=${text(name, content)}`]);
    expectUsageError(withMap('bad.json', '{bad'), /bad\.json: not JSON/);
    expectUsageError(withMap('number.json', '[{"key":"10.0.0.0/8","value":{"id":1}},{"key":"10.0.0.0/8","value":{"id":99999999999}}]'), /number\.json: blocklist4\[1\]\.value\.id: 99999999999 does not fit/);
    expectUsageError(withMap('member.json', '[{"key":"10.0.0.0/8","value":{"ids":1}}]'), /member\.json: blocklist4\[0\]\.value.*ids/);
    expectUsageError(withMap('prefix.json', '{"10.0.0.0/33":{"id":1}}'), /prefix\.json: blocklist4/);
    expectUsageError(withMap('refused.json', '[{"key":{"prefixlen":33},"value":{"id":1}}]'), /refused\.json: blocklist4\[0\]: .*EINVAL/);
    expectUsageError(cli.run([...RUN, '--map', 'nomap=x.json']), /no map 'nomap' in the object; there are: flows, skipped/);
    expectUsageError(cli.run([...RUN, '--map', 'flows=nofile.json']), /nofile\.json: no such file/);
    expectUsageError(cli.run([...RUN, '--map', 'flows']), /--map takes NAME=FILE\.json/);
    expectUsageError(cli.run([...RUN, '--set', 'nope=1']), /no global variable 'nope'/);
    expectUsageError(cli.run(['run', FIREWALL, '--pcap', CAPTURE, '--set', 'dry_run=maybe']), /dry_run.*maybe/);
    expectUsageError(cli.run(['run', FIREWALL, '--pcap', CAPTURE, '--as', 'hits=nothing']), /no type 'nothing'/);
    expectUsageError(cli.run(['run', FIREWALL, '--pcap', CAPTURE, '--as', 'counters=hit']), /'counters' is no ring or perf buffer of the object; there are: hits/);
  });

  test('outputs that cannot be written: said before anything runs, nothing half-written', () => {
    for (const option of ['--pcap-out', '--maps-out']) {
      const result = cli.run([...RUN, option, `${cli.folder}/missing/x`]);
      expectUsageError(result, /missing\/x: cannot be written: there is no directory/);
      expect(result.stdout).toBe('');
    }
    expectUsageError(cli.run([...RUN, '--pcap-out', cli.folder]), /is a directory/);
    expectUsageError(cli.run(['asm', '-', '--out', `${cli.folder}/missing/x`], 'exit'), /cannot be written/);
    expectUsageError(cli.run(['test-run', TRACKER, '--prog', 'flow_tracker', '--data-in', text('64', new Uint8Array(64)), '--data-out', `${cli.folder}/missing/x`]), /cannot be written/);
    expect(readdirSync(cli.folder).filter((name) => name.includes('.tmp-'))).toEqual([]);
  });

  test('numbers', () => {
    expectUsageError(cli.run([...RUN, '--repeat', '0']), /--repeat takes a whole number/);
    expectUsageError(cli.run([...RUN, '--cpus', '65']), /--cpus takes a whole number from 1 to 64/);
    expectUsageError(cli.run([...RUN, '--engine', 'fast']), /'fast' is invalid. Allowed choices are jit, interp/);
    expectUsageError(cli.run(['run', TRACKER]), /required option '--pcap <file>' not specified/);
  });
});

describe('run', () => {
  let base: CliResult;
  beforeAll(() => {
    base = cli.run([...RUN, '--json']);
  });

  test('JSON: program, totals, maps, and nothing else', () => {
    expect(base.status).toBe(0);
    expect(base.stderr).toBe('');
    expect(jsonLines(base).map((line) => line['type'])).toEqual(['program', 'totals', 'map', 'map']);
    expect(totals(base)).toMatchObject({ packets: PACKETS.length, bytes: PACKETS.reduce((sum, packet) => sum + packet.data.length, 0), cut: 0, skipped: {}, format: 'pcap' });
    expect(mapLine(base, 'flows')).toHaveLength(64);
  });

  test('text: counts, speed, maps without zero elements', () => {
    const { stdout, status } = cli.run(RUN);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^flow_tracker: accepted by the verifier \(617 instructions processed, 50 states, \d+\.\d\d ms\), compiled to WebAssembly\n/);
    expect(stdout).not.toContain(' 0.00 ms');
    expect(stdout).toMatch(/XDP_PASS\s+572\s+424180/);
    expect(stdout).toMatch(/572 packets, 424180 bytes from examples\/captures\/mixed\.pcap \(pcap\) in .* ns\/packet/);
    expect(stdout).toMatch(/saddr: 10\.1\.0\.\d, daddr: 10\.1\.0\.\d, sport: \d+, dport: 80/);
    expect(stdout).toContain('44 more (--maps-out FILE writes all)');
    expect(stdout).toContain('map skipped (BPF_MAP_TYPE_PERCPU_ARRAY): 4 entries, 3 of them zero\n  0: 10\n');
  });

  test('the interpreter and four CPUs count the same', () => {
    const interp = cli.run([...RUN, '--json', '--engine', 'interp']);
    const fourCpus = cli.run([...RUN, '--json', '--cpus', '4']);
    for (const other of [interp, fourCpus]) {
      expect(counts(other)).toEqual(counts(base));
      expect(mapSums(other, 'flows')).toEqual(mapSums(base, 'flows'));
      expect(mapSums(other, 'skipped')).toEqual(mapSums(base, 'skipped'));
    }
    expect(cli.run([...RUN, '--engine', 'interp']).stdout).toContain(', interpreted\n');
  });

  test('pcapng of both byte orders, gzip, and a pipe through stdin are the same packets', () => {
    for (const littleEndian of [true, false]) {
      const ng = cli.run(['run', TRACKER, '--pcap', text('ng.pcapng', pcapng(PACKETS, littleEndian)), '--json']);
      expect(counts(ng)).toEqual(counts(base));
      expect(mapSums(ng, 'flows')).toEqual(mapSums(base, 'flows'));
    }
    expect(counts(cli.run(['run', TRACKER, '--pcap', text('c.pcap.gz', gzipSync(readFileSync(CAPTURE))), '--json']))).toEqual(counts(base));
    expect(counts(cli.run(['run', TRACKER, '--pcap', '-', '--json'], readFileSync(CAPTURE)))).toEqual(counts(base));
    expect(counts(cli.run(['run', TRACKER, '--pcap', '-', '--json'], gzipSync(readFileSync(CAPTURE))))).toEqual(counts(base));
    expect(counts(cli.run(['run', '-', '--pcap', CAPTURE, '--json'], readFileSync(TRACKER)))).toEqual(counts(base));
    expectUsageError(cli.run(['run', '-', '--pcap', '-'], readFileSync(TRACKER)), /cannot both come from stdin/);
  });

  test('--repeat goes over the capture again', () => {
    const { packets, verdicts } = totals(cli.run([...RUN, '--json', '--repeat', '3']));
    expect(packets).toBe(3 * PACKETS.length);
    expect(verdicts).toEqual([expect.objectContaining({ name: 'XDP_PASS', packets: 3 * PACKETS.length })]);
  });

  test('--pcap-out holds the packets that went on, as they were', () => {
    const out = cli.file('out.pcap');
    const result = cli.run(['run', FIREWALL, '--pcap', CAPTURE, '--map', BLOCKLIST, '--pcap-out', out, '--json']);
    const passed = readCapture(new Uint8Array(readFileSync(out))).packets;
    const kept = PACKETS.filter(({ data }) => !(data[12] === 8 && data[13] === 0 && data.subarray(26, 30).join('.') === '10.1.0.1'));
    expect(passed.map((packet) => Buffer.from(packet.data).toString('hex'))).toEqual(kept.map((packet) => Buffer.from(packet.data).toString('hex')));
    expect(passed.map((packet) => packet.timestampNs)).toEqual(kept.map((packet) => packet.timestampNs));
    expect(totals(result)['verdicts']).toEqual(expect.arrayContaining([expect.objectContaining({ name: 'XDP_PASS', packets: kept.length })]));
    const again = cli.run(['run', FIREWALL, '--pcap', out, '--map', BLOCKLIST, '--json']);
    expect(totals(again)).toMatchObject({ packets: kept.length, verdicts: [expect.objectContaining({ name: 'XDP_PASS' })] });
  });

  test('--pcap-out - puts the capture on stdout and the report on stderr; two commands make a pipe', () => {
    const result = cli.run([...RUN, '--pcap-out', '-', '--json']);
    expect(readCapture(result.bytes).packets).toHaveLength(PACKETS.length);
    expect(JSON.parse(result.stderr.split('\n')[0] ?? '')).toMatchObject({ type: 'program' });
    const piped = execSync(`${cli.command} run ${FIREWALL} --pcap ${CAPTURE} --map ${BLOCKLIST} --pcap-out - 2>/dev/null | ${cli.command} run ${TRACKER} --pcap - --json`, { encoding: 'utf8' });
    expect(piped).toContain('"packets":429');
    expectUsageError(cli.run([...RUN, '--pcap-out', '-', '--maps-out', '-']), /cannot both go to stdout/);
    const cutOff = execSync(`${cli.command} run ${TRACKER} --pcap ${CAPTURE} | head -1`, { encoding: 'utf8' });
    expect(cutOff).toMatch(/^flow_tracker: accepted/);
  });

  test('--map, --set, --maps-out, --as: maps and globals in, maps and events out', () => {
    const mapsOut = cli.file('maps.json');
    const result = cli.run(['run', FIREWALL, '--pcap', CAPTURE, '--map', BLOCKLIST, '--set', 'dry_run=1', '--maps-out', mapsOut, '--as', 'hits=hit', '--json']);
    expect(totals(result)['verdicts']).toEqual([expect.objectContaining({ name: 'XDP_PASS', packets: PACKETS.length })]);
    const maps = JSON.parse(readFileSync(mapsOut, 'utf8')) as Record<string, unknown>;
    expect(maps['counters']).toEqual([{ key: 0, values: [{ cpu: 0, value: 410 }] }, { key: 1, values: [{ cpu: 0, value: 143 }] }, { key: 2, values: [{ cpu: 0, value: 19 }] }]);
    expect(maps['.rodata']).toEqual([expect.objectContaining({ value: { dry_run: 1 } })]);
    const events = jsonLines(result).filter((line) => line['type'] === 'event');
    expect(events).toHaveLength(143);
    expect(events[0]).toMatchObject({ map: 'hits', value: { rule: 1, length: expect.any(Number) as unknown } });
    // What --maps-out wrote fills maps again.
    const blocklist = text('again.json', JSON.stringify(maps['blocklist4']));
    expect(mapSums(cli.run(['run', FIREWALL, '--pcap', CAPTURE, '--map', `blocklist4=${blocklist}`, '--json']), 'counters')).toEqual(['[0,410]', '[1,143]', '[2,19]']);
  });

  test('printk lines, perf and ring events, queues, tail calls', () => {
    const { stdout } = cli.run(['run', EVENTS, '--prog', 'tell', '--pcap', CAPTURE, '--as', 'perf=event', '--as', 'ring=event']);
    expect(stdout).toContain('printk: packet 1 of 110 bytes\nevent perf CPU 0: {length: 110, kind: "PLAIN", text: "hello"}\nevent ring: {length: 110, kind: "PLAIN", text: "hello"}\nprintk: packet 2 of');
    expect(stdout).toMatch(/XDP_TX\s+572/);
    expect(stdout).toContain('map perf (BPF_MAP_TYPE_PERF_EVENT_ARRAY): 2 events taken');
    expect(stdout).toContain('map lengths (BPF_MAP_TYPE_QUEUE): 4 entries\n  110\n  110\n  70\n  86\n');
    expect(stdout).toContain('  2048: 349\n');
    expect(stdout).toMatch(/map \.bss .*: 2 variables\n  seen = 572\n/);
    const json = jsonLines(cli.run(['run', EVENTS, '--prog', 'tell', '--pcap', CAPTURE, '--json']));
    expect(json.filter((line) => line['type'] === 'printk')).toEqual([{ type: 'printk', line: 'packet 1 of 110 bytes' }, { type: 'printk', line: 'packet 2 of 110 bytes' }]);
    expect(json.find((line) => line['type'] === 'event')).toMatchObject({ map: 'perf', cpu: 0, value: null, hex: '6e0000000000000068656c6c6f000000', time_ns: Number(PACKETS[0]?.timestampNs) });
    expect(mapSums(cli.run(['run', EVENTS, '--prog', 'tell', '--pcap', CAPTURE, '--json', '--cpus', '4']), 'by_ethertype')).toContain('[8,349]');
  });

  test('several programs and no --prog: they are listed, exit code 2', () => {
    expectUsageError(cli.run(['run', EVENTS, '--pcap', CAPTURE]), /several programs.*last.*tell.*careless.*spare/);
    expectUsageError(cli.run(['run', EVENTS, '--pcap', CAPTURE, '--prog', 'nope']), /no program 'nope'; there are: last/);
  });

  test('a rejected program: exit code 1 and the verifier\'s message', () => {
    const result = cli.run(['run', EVENTS, '--pcap', CAPTURE, '--prog', 'careless']);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('R1 offset is outside of the packet');
    expect(result.stdout).toBe('');
  });

  test('packets cut by snaplen and link types that the hook cannot take are said and counted', () => {
    const whole = PACKETS[0]?.data ?? new Uint8Array(0);
    const packets = [
      { data: whole, timestampNs: 1n }, { data: whole.subarray(0, 40), origLen: whole.length, timestampNs: 2n },
      { data: whole.subarray(14), timestampNs: 3n, linkType: 101 }, { data: whole, timestampNs: 4n, linkType: 105 }, { data: whole.subarray(0, 9), timestampNs: 5n },
    ];
    const path = text('odd.pcapng', pcapng(packets));
    expect(totals(cli.run(['run', TRACKER, '--pcap', path, '--json']))).toMatchObject({ packets: 3, cut: 1, skipped: { 'shorter than an Ethernet header': 1, [skipped105]: 1 } });
    const { stdout, status } = cli.run(['run', TRACKER, '--pcap', path]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^1 packet was cut by the capture's snap length/m);
    expect(stdout).toMatch(/^1 packet left out: of .*802[._]?11.*, which this hook can't take/im);
  });
  const skipped105 = 'of LINKTYPE_IEEE802_11, which this hook can\'t take';

  test('an interrupt of a live pipe ends with the report of what came', async () => {
    const [program = '', ...args] = [...cli.command.split(' '), 'run', TRACKER, '--pcap', '-', '--json'];
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const out: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => {
      // The program is loaded and the loop begins: interrupt it, as a terminal does to a whole pipeline, then end the capture.
      if (out.push(chunk) > 1) return;
      child.stdin.write(readFileSync(CAPTURE), () => setTimeout(() => {
        child.kill('SIGINT');
        setTimeout(() => child.stdin.end(), 100);
      }, 200));
    });
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect(status).toBe(0);
    expect(counts({ status: 0, stdout: Buffer.concat(out).toString('utf8'), stderr: '', bytes: new Uint8Array(0) })).toEqual(counts(base));
  });

  test('fuel stops a run: exit code 1', () => {
    const result = cli.run([...RUN, '--fuel', '10']);
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/^bpfkit: out of fuel/);
  });

  test('a capture without packets', () => {
    const { stdout, status } = cli.run(['run', TRACKER, '--pcap', text('none.pcap', new PcapWriter(1).header())]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^0 packets, 0 bytes/m);
  });
});

describe('test-run', () => {
  test('files in and out, JSON', () => {
    const packet = PACKETS[20]?.data ?? new Uint8Array(0);
    const result = cli.run(['test-run', TRACKER, '--prog', 'flow_tracker', '--data-in', text('packet', packet), '--data-out', cli.file('after'), '--repeat', '5', '--json']);
    expect(result.status).toBe(0);
    expect(jsonLines(result)).toEqual([{ retval: 2, duration_ns: expect.any(Number) as unknown, data_size_out: packet.length, ctx_size_out: 0 }]);
    expect(new Uint8Array(readFileSync(cli.file('after')))).toEqual(new Uint8Array(packet));
    expect(cli.run(['test-run', TRACKER, '--prog', 'flow_tracker', '--data-in', '-', '--engine', 'interp'], packet).stdout).toMatch(/^retval 2 \(0x2\), \d+ ns, packet \d+ bytes\n$/);
    const piped = cli.run(['test-run', TRACKER, '--prog', 'flow_tracker', '--data-in', '-', '--data-out', '-', '--json'], packet);
    expect(piped.bytes).toEqual(new Uint8Array(packet));
    expect(JSON.parse(piped.stderr)).toMatchObject({ retval: 2 });
  });

  test('the context in and out', () => {
    const ctx = new Uint8Array(192);
    new DataView(ctx.buffer).setUint32(32, 7, true);
    const args = ['test-run', 'examples/tc-marker/tc_marker.bpf.o', '--prog', 'tc_marker', '--data-in', text('frame', PACKETS[60]?.data ?? ''), '--ctx-in', text('ctx', ctx), '--ctx-out', cli.file('ctx-after'), '--json'];
    expect(jsonLines(cli.run(args))[0]).toMatchObject({ retval: 0, ctx_size_out: 192 });
    const after = new DataView(new Uint8Array(readFileSync(cli.file('ctx-after'))).buffer);
    expect([after.getUint32(8, true), after.getUint32(32, true)]).toEqual([0x100, 7]);
  });

  test('what the kernel refuses: exit code 1 with its errno; wrong usage: 2', () => {
    const result = cli.run(['test-run', TRACKER, '--prog', 'flow_tracker', '--data-in', text('short', 'short')]);
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/^bpfkit: BPF_PROG_TEST_RUN: EINVAL/);
    expectUsageError(cli.run(['test-run', TRACKER, '--prog', 'nope']), /no program 'nope'/);
    expectUsageError(cli.run(['test-run', TRACKER, '--prog', 'flow_tracker', '--data-in', 'nofile']), /nofile: no such file/);
    expectUsageError(cli.run(['test-run', TRACKER, '--prog', 'flow_tracker', '--repeat', '-1']), /--repeat/);
  });
});

describe('exec', () => {
  const LOAD_FIRST_BYTE = '7110000000000000 9500000000000000';

  test('hex in, r0 out, in both executors', () => {
    for (const engine of ['jit', 'interp']) {
      expect(cli.run(['exec', '--engine', engine], 'b7000000 2a000000\n95 00 00 00 00 00 00 00\n')).toMatchObject({ status: 0, stdout: '0x2a\n', stderr: '' });
      expect(cli.run(['exec', '--engine', engine, '--mem', 'fe01'], LOAD_FIRST_BYTE).stdout).toBe('0xfe\n');
      expect(cli.run(['exec', '--engine', engine, '--mem', '010203'], 'bf20000000000000 9500000000000000').stdout).toBe('0x3\n');
    }
  });

  test('the conformance plug-in protocol', () => {
    expect(cli.run(['exec', '--plugin', 'fe01'], LOAD_FIRST_BYTE)).toMatchObject({ status: 0, stdout: 'fe\n' });
    expect(cli.run(['exec', '--plugin'], 'b7000000 2a000000 9500000000000000').stdout).toBe('2a\n');
    expect(cli.run(['exec', '--plugin', ''], 'b7000000 2a000000 9500000000000000').stdout).toBe('2a\n');
  });

  test('fuel and faults: exit code 1', () => {
    for (const [program, words] of [
      ['0500ffff00000000', /out of fuel/], ['71100400000000009500000000000000', /load of 1 byte.* at /], ['ff00000000000000', /no such instruction/],
      ['b700000000000000', /control leaves the program/], ['85000000010000009500000000000000', /helper/],
    ] as const) {
      const result = cli.run(['exec', '--fuel', '1000', '--mem', '01020304'], program);
      expect([result.status, result.stdout]).toEqual([1, '']);
      expect(result.stderr).toMatch(words);
    }
  });

  test('wrong usage', () => {
    expectUsageError(cli.run(['exec'], 'zz'), /stdin is not hexadecimal/);
    expectUsageError(cli.run(['exec'], 'b700'), /8-byte instructions/);
    expectUsageError(cli.run(['exec', '--mem', 'x'], '95'), /memory is not hexadecimal/);
    expectUsageError(cli.run(['exec', '--fuel', 'much'], '9500000000000000'), /--fuel takes a number/);
  });
});

describe('asm and disasm', () => {
  test('round trips, both dialects', () => {
    const program = 'r0 = *(u32 *)(r1 +4)\nif r0 > 0x7 goto pc+1\nr0 = 0x0 ll\nw0 += 1\nlock *(u64 *)(r10 -8) += r1\ncall bpf_ktime_get_ns#5\nexit\n';
    const hex = cli.run(['asm'], program);
    expect(hex.status).toBe(0);
    expect(cli.run(['disasm'], hex.stdout).stdout).toBe(program);
    const llvm = cli.run(['disasm', '--dialect', 'llvm'], hex.stdout).stdout;
    expect(llvm).not.toBe(program);
    expect(cli.run(['asm'], llvm).stdout).toBe(hex.stdout);
    expect(cli.run(['asm', '-', '--out', cli.file('program.bin')], program)).toMatchObject({ status: 0, stdout: '' });
    expect(cli.run(['disasm', cli.file('program.bin')]).stdout).toBe(program);
    expect(jsonLines(cli.run(['asm', '--json'], program))).toEqual([{ insns: 8, hex: hex.stdout.replaceAll('\n', '') }]);
  });

  test('the programs of an object', () => {
    const lines = jsonLines(cli.run(['disasm', EVENTS, '--json']));
    expect(lines.map((line) => line['program'])).toEqual(['last', 'tell', 'careless', 'spare']);
    expect(cli.run(['disasm', EVENTS, '--prog', 'last']).stdout).toBe('last: (section xdp, 2 instructions)\n0: w0 = 3\n1: exit\n');
    expectUsageError(cli.run(['disasm', EVENTS, '--prog', 'nope']), /no program 'nope'/);
  });

  test('every mistake in the text with its line and column, each on a line of stderr', () => {
    const result = cli.run(['asm', text('bad.s', 'r0 = 1\nr0 = \nnonsense\nexit\n')]);
    expect(result.status).toBe(2);
    expect(result.stderr.trimEnd().split('\n')).toEqual([expect.stringMatching(/^bpfkit: .*bad\.s:2:\d+: /), expect.stringMatching(/^bpfkit: .*bad\.s:3:1: /)]);
    expectUsageError(cli.run(['disasm'], 'b7000000'), /stdin: .*8-byte instructions/);
  });
});

test('nothing is left behind', () => {
  expect(readdirSync(cli.folder).filter((name) => name.includes('.tmp-'))).toEqual([]);
  expect(existsSync(cli.file('missing'))).toBe(false);
});
