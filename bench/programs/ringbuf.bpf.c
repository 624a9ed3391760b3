// SPDX-License-Identifier: Apache-2.0
// An event per packet into a ring buffer: 16 bytes and the header's 8. Nobody reads while it runs, so a window may not write more than fits.
#include "bench.h"

struct event {
	__u32 number;
	__be32 saddr;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} events SEC(".maps");

SEC("xdp")
int ringbuf_event(struct xdp_md *ctx)
{
	struct packet *p = udp_packet(ctx);

	if (!p)
		return XDP_ABORTED;
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return XDP_DROP;
	event->number = seq++;
	event->saddr = p->ip.saddr;
	event->bytes = ctx->data_end - ctx->data;
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	return XDP_PASS;
}
