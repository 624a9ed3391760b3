// Which CPU a packet goes to: all packets of a flow to the same one, as a device's receive-side scaling does.
// Both directions of a flow go to one CPU (a symmetric key), which real devices can be set to do.

import { ETH_P_IP, ETH_P_IPV6 } from '../spec/link-types.ts';

/** CPU number 0 … cpus - 1 for an Ethernet frame; frames that aren't IP go to CPU 0. */
export function steer(frame: Uint8Array, cpus: number): number {
  if (frame.length < 34) return 0;
  const type = ((frame[12] as number) << 8) | (frame[13] as number);
  if (type === ETH_P_IP) return foldPairs(frame, 26, 30, 4, cpus);
  if (type === ETH_P_IPV6 && frame.length >= 54) return foldPairs(frame, 22, 38, 16, cpus);
  return 0;
}

function foldPairs(frame: Uint8Array, source: number, destination: number, length: number, cpus: number): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < length; i++) {
    hash ^= (frame[source + i] as number) ^ (frame[destination + i] as number);
    hash = Math.imul(hash, 0x0100_0193);
  }
  return ((hash ^ (hash >>> 15)) >>> 0) % cpus;
}
