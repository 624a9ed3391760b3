// Socket helpers on a kernel without sockets: look-ups find none, packets belong to none.
// Invariant: NULL, 0 and the overflow uid are what Linux answers where no socket matches. Helpers that take a socket can't be reached then:
// a program gets sockets only from these look-ups and from __sk_buff.sk, and must check them for NULL.
// Source: net/core/filter.c.

import { SK_BUFF } from '../spec/context.ts';
import { InternalError, NotSupportedError } from '../util/errors.ts';
import type { CrossingKind, HelperHost, HelperImpl, ResultKind } from '../vm/host.ts';
import { helper } from './define.ts';
import { skbAt } from './packet.ts';

/** Kernel's overflowuid: the owner of packets that nobody owns. */
const OVERFLOW_UID = 65534;

const lookup = (name: string): HelperImpl =>
  helper(name, ['ptr', 'ptr', 'u32', 'u64', 'u64'], 'ptr', (_host, _ctx, _tuple, _tupleSize, _netns, _flags) => 0);

export const skLookupTcp = lookup('bpf_sk_lookup_tcp');
export const skLookupUdp = lookup('bpf_sk_lookup_udp');
export const skcLookupTcp = lookup('bpf_skc_lookup_tcp');

function unowned(host: HelperHost, ctx: number): void {
  if (skbAt(host, ctx).u64(SK_BUFF.sk) !== 0n) throw new NotSupportedError('sockets of packets');
}

export const getSocketCookie = helper('bpf_get_socket_cookie', ['ptr'], 'u64', (host, ctx) => {
  unowned(host, ctx);
  return 0n;
});

export const getSocketUid = helper('bpf_get_socket_uid', ['ptr'], 'u32', (host, ctx) => {
  unowned(host, ctx);
  return OVERFLOW_UID;
});

/** There is one network namespace, the initial one. */
export const getNetnsCookie = helper('bpf_get_netns_cookie', ['ptr'], 'u64', (_host, _ctx) => 1n);

/** A helper that takes a socket: there is none to give it. */
const onSocket = (name: string, args: readonly CrossingKind[], result: ResultKind): HelperImpl => ({
  name, args, result,
  call: () => {
    throw new InternalError(`${name} was called with a socket, and there are none`);
  },
});

export const skRelease = onSocket('bpf_sk_release', ['ptr'], 's32');
export const skFullsock = onSocket('bpf_sk_fullsock', ['ptr'], 'ptr');
export const tcpSock = onSocket('bpf_tcp_sock', ['ptr'], 'ptr');
export const getListenerSock = onSocket('bpf_get_listener_sock', ['ptr'], 'ptr');
export const skAssign = onSocket('bpf_sk_assign', ['ptr', 'ptr', 'u64'], 's32');
export const skCgroupId = onSocket('bpf_sk_cgroup_id', ['ptr'], 'u64');
export const skAncestorCgroupId = onSocket('bpf_sk_ancestor_cgroup_id', ['ptr', 's32'], 'u64');
export const tcpCheckSyncookie = onSocket('bpf_tcp_check_syncookie', ['ptr', 'ptr', 'u32', 'ptr', 'u32'], 's32');
export const tcpGenSyncookie = onSocket('bpf_tcp_gen_syncookie', ['ptr', 'ptr', 'u32', 'ptr', 'u32'], 'u64');
export const skcToTcpSock = onSocket('bpf_skc_to_tcp_sock', ['ptr'], 'ptr');
export const skcToTcp6Sock = onSocket('bpf_skc_to_tcp6_sock', ['ptr'], 'ptr');
export const skcToUdp6Sock = onSocket('bpf_skc_to_udp6_sock', ['ptr'], 'ptr');
export const skcToTcpTimewaitSock = onSocket('bpf_skc_to_tcp_timewait_sock', ['ptr'], 'ptr');
export const skcToTcpRequestSock = onSocket('bpf_skc_to_tcp_request_sock', ['ptr'], 'ptr');
export const skcToUnixSock = onSocket('bpf_skc_to_unix_sock', ['ptr'], 'ptr');
export const skcToMptcpSock = onSocket('bpf_skc_to_mptcp_sock', ['ptr'], 'ptr');
