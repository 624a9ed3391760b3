// Helper cases whose answer differs from Linux's on purpose, and why.

/** By case name. */
export const DIFFERENCES: Readonly<Record<string, string>> = {};
