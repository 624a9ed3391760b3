// The simulated network: devices with an index, name, MAC address and MTU, and a routing table for bpf_fib_lookup.
// Invariant: device 1 is the loopback, as in every network namespace. Source: include/linux/netdevice.h; net/core/filter.c bpf_ipv4_fib_lookup.

/** A simulated net device. */
export interface NetDevice {
  readonly ifindex: number;
  readonly name: string;
  /** 6 bytes. */
  readonly mac: Uint8Array;
  readonly mtu: number;
  /** The stack forwards packets that come in here; bpf_fib_lookup answers FWD_DISABLED where it doesn't. */
  readonly forwarding?: boolean;
}

/** A route for bpf_fib_lookup: the longest matching prefix wins. Addresses are 4 or 16 bytes in network order. */
export interface Route {
  readonly prefix: Uint8Array;
  readonly prefixLength: number;
  readonly ifindex: number;
  readonly gateway?: Uint8Array;
  /** The next hop's MAC, undefined when no neighbour is known (BPF_FIB_LKUP_RET_NO_NEIGH). */
  readonly neighbour?: Uint8Array;
}

const LOOPBACK: NetDevice = { ifindex: 1, name: 'lo', mac: new Uint8Array(6), mtu: 65536 };

/** Devices and routes of one network namespace. */
export class SimNet {
  readonly #devices = new Map<number, NetDevice>([[1, LOOPBACK]]);
  readonly #routes: Route[] = [];

  addDevice(device: NetDevice): void {
    this.#devices.set(device.ifindex, device);
  }
  addRoute(route: Route): void {
    this.#routes.push(route);
  }
  device(ifindex: number): NetDevice | undefined {
    return this.#devices.get(ifindex);
  }

  /** The route with the longest prefix that holds `address` (4 or 16 bytes), undefined when none does. */
  route(address: Uint8Array): Route | undefined {
    let best: Route | undefined;
    for (const route of this.#routes) {
      if (route.prefix.length !== address.length || !prefixHolds(route, address)) continue;
      if (best === undefined || route.prefixLength > best.prefixLength) best = route;
    }
    return best;
  }
}

function prefixHolds(route: Route, address: Uint8Array): boolean {
  for (let bit = 0; bit < route.prefixLength; bit++) {
    const mask = 0x80 >> (bit & 7);
    if (((route.prefix[bit >> 3] as number) & mask) !== ((address[bit >> 3] as number) & mask)) return false;
  }
  return true;
}
