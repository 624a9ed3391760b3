// What stands in the maps before a program is measured. Each function fills the maps of one program through BenchMaps,
// so that the simulated and the real kernel start from the same contents.

import { joined, networkOrder, words, type BenchMaps } from './maps.ts';
import { FLOW, generator } from './packets.ts';

const XDP_DROP = 1;
const XDP_PASS = 2;
const ROUTES = 10_000;
const BACKENDS = 64;
const RING = 4096;

/** Rules that drop every fourth index. */
export function fillRules(maps: BenchMaps): void {
  for (let i = 0; i < 1024; i++) maps.put('rules', words(i), words(i % 4 === 0 ? XDP_DROP : XDP_PASS, 0));
}

/** `count` elements of u32 keys from 0 up and random u64 values. */
export function fillNumbers(maps: BenchMaps, name: string, count: number): void {
  const random = generator(7);
  for (let i = 0; i < count; i++) maps.put(name, words(i), words(random(), random()));
}

/** Routes as a table of the Internet has them: mostly /24, some down to /8 and up to /32, and a default route. */
export function fillRoutes(maps: BenchMaps): void {
  const random = generator(11);
  maps.put('routes', words(0, 0), words(1));
  const seen = new Set<string>();
  while (seen.size < ROUTES - 1) {
    const kind = random() % 100;
    const length = kind < 55 ? 24 : kind < 85 ? 16 + (random() % 8) : kind < 95 ? 8 + (random() % 8) : 25 + (random() % 8);
    const address = (random() & (0xffff_ffff << (32 - length))) >>> 0;
    const key = joined(words(length), networkOrder(address, 4));
    if (seen.has(key.join())) continue;
    seen.add(key.join());
    maps.put('routes', key, words(2 + (random() % 250)));
  }
}

/** A translation for each of 1,024 inside addresses. */
export function fillTranslations(maps: BenchMaps): void {
  for (let n = 0; n < 1024; n++) {
    const key = joined(networkOrder(0x0a00_0000 | n, 4), networkOrder(1024 + n, 2), [0, 0]);
    maps.put('translations', key, joined(networkOrder(0xcb00_7100 | (n & 7), 4), networkOrder(20_000 + n, 2), [0, 0], words(0, 0)));
  }
}

/** One service, its ring of hashed slots, and sixty-four backends. */
export function fillBackends(maps: BenchMaps): void {
  const random = generator(13);
  maps.put('services', joined(networkOrder(FLOW.daddr, 4), networkOrder(FLOW.dport, 2), [0, 0]), words(0x5eed));
  for (let slot = 0; slot < RING; slot++) maps.put('ring', words(slot), words(random() % BACKENDS));
  for (let i = 0; i < BACKENDS; i++) {
    maps.put('backends', words(i), joined(networkOrder(0x0a02_0000 | (i + 1), 4), [2, 0, 0, 1, 0, i, 0, 0]));
  }
}

/** Equal buffers and equal texts of 255 characters to compare. */
export function fillTexts(maps: BenchMaps): void {
  const random = generator(17);
  const numbers = Uint8Array.from({ length: 256 }, () => random());
  const text = Uint8Array.from({ length: 256 }, (_, i) => (i === 255 ? 0 : 97 + (random() % 26)));
  for (const name of ['left', 'right']) maps.setGlobal(name, numbers);
  for (const name of ['text', 'same_text']) maps.setGlobal(name, text);
}

/** Two matrices of small random numbers. */
export function fillMatrices(maps: BenchMaps): void {
  const random = generator(19);
  for (const name of ['first', 'second']) maps.setGlobal(name, words(...Array.from({ length: 144 }, () => random() % 1000)));
}
