// What the checks of one helper call learn from its arguments and need for its result.
// Invariant: one object per verification, reset at each call; nothing outlives the call.
// Source: kernel `struct bpf_call_arg_meta`, Linux 6.18.

/** Facts gathered while a call's arguments are checked. */
export class CallMeta {
  helperId = 0;
  /** Memory arguments may point into the packet. */
  pktAccess = false;
  /** 1 + index of the map argument in `env.maps`, 0 none, and which look-up it came from. */
  mapIndex = 0;
  mapUid = 0;
  /** The memory argument just seen need not be initialised: the helper fills it. */
  rawMode = false;
  /** Register and size of memory that the helper fills. */
  regno = 0;
  sizeBytes = 0;
  /** Size of the memory that the helper returns. */
  memSize = 0;
  /** Largest value of the size argument, which bounds some results. */
  msizeMaxValue = 0n;
  /** The argument whose reference is released, 0 none. */
  releaseRegno = 0;
  /** The reference among the arguments. */
  refObjId = 0;
  /** The callback. */
  subprogno = 0;
  /** The key's value when it is known, -1n otherwise. */
  constMapKey = -1n;

  /** Ready for a call of helper `helperId`. */
  reset(helperId: number, pktAccess: boolean): void {
    this.helperId = helperId;
    this.pktAccess = pktAccess;
    this.mapIndex = 0;
    this.mapUid = 0;
    this.rawMode = false;
    this.regno = 0;
    this.sizeBytes = 0;
    this.memSize = 0;
    this.msizeMaxValue = 0n;
    this.releaseRegno = 0;
    this.refObjId = 0;
    this.subprogno = 0;
    this.constMapKey = 0n;
  }
}
