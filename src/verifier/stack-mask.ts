// Stack slots of a bit mask as the verifier's log names them.

/** Slots as offsets from the frame pointer, "-8,-16"; bit i is the slot at -8·(i+1). */
export function stackMaskText(mask: bigint): string {
  const slots: number[] = [];
  for (let spi = 0; spi < 64; spi++) if ((mask >> BigInt(spi)) & 1n) slots.push(-(spi + 1) * 8);
  return slots.join(',');
}
