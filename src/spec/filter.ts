// Negative packet offsets of LD_ABS and LD_IND (and of classic BPF): they count from a header or name ancillary data.
// Source: uapi/linux/filter.h.

/** Ancillary data (classic BPF only; translated away before eBPF). */
export const SKF_AD_OFF = -0x1000;
/** From the network header. */
export const SKF_NET_OFF = -0x10_0000;
/** From the link-layer header. */
export const SKF_LL_OFF = -0x20_0000;
