// What the verifier knows about one register (or one spilled slot): its type, the pointer's particulars, and for scalars a tnum and eight bounds.
// Invariant: all fields live in flat typed arrays of a RegStore, so that copying a whole frame's registers is one `set` and
// no instruction allocates. A RegState is a named cursor into the store, made once.
// Source: kernel `struct bpf_reg_state` (include/linux/bpf_verifier.h), Linux 6.18.

const WORDS64 = 6;
const WORDS32 = 14;
/** Bytes of one register in a RegStore: the 64-bit words, then the 32-bit ones, 8-aligned. */
export const REG_BYTES = WORDS64 * 8 + Math.ceil(WORDS32 / 2) * 8;

const VAR_VALUE = 0;
const VAR_MASK = 1;
const SMIN = 2;
const SMAX = 3;
const UMIN = 4;
const UMAX = 5;

const TYPE = 0;
const OFF = 1;
const ID = 2;
const REF_OBJ_ID = 3;
const FRAMENO = 4;
const PRECISE = 5;
const MAP_INDEX = 6;
const MAP_UID = 7;
const EXTRA = 8;
const SUBPROG = 9;
const S32_MIN_VALUE = 10;
const S32_MAX_VALUE = 11;
const U32_MIN_VALUE = 12;
const U32_MAX_VALUE = 13;

/** Which of a 64-bit word's two 32-bit ones is the low half on this host. */
const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
export const LO = LITTLE_ENDIAN ? 0 : 1;
export const HI = 1 - LO;

// Where a register's values lie, in 32-bit words from its first one (`RegState.at`), for code that works on halves instead of bigints.
export const W_VALUE = 2 * VAR_VALUE;
export const W_MASK = 2 * VAR_MASK;
export const W_SMIN = 2 * SMIN;
export const W_SMAX = 2 * SMAX;
export const W_UMIN = 2 * UMIN;
export const W_UMAX = 2 * UMAX;
export const W_S32_MIN = WORDS64 * 2 + S32_MIN_VALUE;
export const W_S32_MAX = WORDS64 * 2 + S32_MAX_VALUE;
export const W_U32_MIN = WORDS64 * 2 + U32_MIN_VALUE;
export const W_U32_MAX = WORDS64 * 2 + U32_MAX_VALUE;

/** Flat storage for `count` registers. */
export class RegStore {
  readonly count: number;
  readonly u64: BigUint64Array;
  readonly s64: BigInt64Array;
  readonly s32: Int32Array;
  readonly u32: Uint32Array;
  constructor(count: number) {
    const buffer = new ArrayBuffer(count * REG_BYTES);
    this.count = count;
    this.u64 = new BigUint64Array(buffer);
    this.s64 = new BigInt64Array(buffer);
    this.s32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
  }
  /** Copies the first `registers` registers of `from` over this store's. */
  copyFrom(from: RegStore, registers: number = this.count): void {
    this.s32.set(registers === from.count ? from.s32 : from.s32.subarray(0, (registers * REG_BYTES) >> 2));
  }
}

/** A cursor to one register of a store. Bounds are inclusive; 64-bit ones are bigint, 32-bit ones numbers. */
export class RegState {
  readonly store: RegStore;
  readonly index: number;
  /** Its first 32-bit word in the store. */
  readonly at: number;
  readonly #at64: number;
  readonly #at32: number;
  constructor(store: RegStore = new RegStore(1), index = 0) {
    this.store = store;
    this.index = index;
    this.at = (index * REG_BYTES) >> 2;
    this.#at64 = (index * REG_BYTES) >> 3;
    this.#at32 = ((index * REG_BYTES) >> 2) + WORDS64 * 2;
  }

  /** Copies every field. */
  copyFrom(from: RegState): void {
    const to = this.store.s32;
    const words = from.store.s32;
    const start = this.at;
    const source = from.at;
    for (let word = 0; word < REG_BYTES >> 2; word++) to[start + word] = words[source + word] as number;
  }

  /** True when every field is equal, bit for bit. */
  sameAs(other: RegState): boolean {
    const a = (this.index * REG_BYTES) >> 2;
    const b = (other.index * REG_BYTES) >> 2;
    for (let word = 0; word < REG_BYTES >> 2; word++) {
      if (this.store.s32[a + word] !== other.store.s32[b + word]) return false;
    }
    return true;
  }

  /** True when type, offset, particulars, tnum and bounds are equal: all but the ids, the frame and the precision mark. */
  sameButIds(other: RegState): boolean {
    const a = (this.index * REG_BYTES) >> 2;
    const b = (other.index * REG_BYTES) >> 2;
    const words = this.store.s32;
    const others = other.store.s32;
    for (let word = 0; word < WORDS64 * 2; word++) if (words[a + word] !== others[b + word]) return false;
    const ids = WORDS64 * 2 + ID;
    const rest = WORDS64 * 2 + MAP_INDEX;
    for (let word = WORDS64 * 2; word < ids; word++) if (words[a + word] !== others[b + word]) return false;
    for (let word = rest; word < WORDS64 * 2 + WORDS32; word++) if (words[a + word] !== others[b + word]) return false;
    return true;
  }

  /** True when type, offset and particulars (map, size …) are equal. */
  sameKind(other: RegState): boolean {
    return this.type === other.type && this.off === other.off && this.mapIndex === other.mapIndex && this.mapUid === other.mapUid &&
      this.extra === other.extra && this.subprogno === other.subprogno;
  }

  /** Zeroes every field (type NOT_INIT). */
  clear(): void {
    const start = (this.index * REG_BYTES) >> 2;
    this.store.s32.fill(0, start, start + (REG_BYTES >> 2));
  }

  /** Register type: a base type with flags, spec/verifier-types.ts. */
  get type(): number { return this.store.u32[this.#at32 + TYPE] as number; }
  set type(value: number) { this.store.u32[this.#at32 + TYPE] = value; }
  /** Fixed part of a pointer's offset, s32. */
  get off(): number { return this.store.s32[this.#at32 + OFF] as number; }
  set off(value: number) { this.store.s32[this.#at32 + OFF] = value; }
  /** Links registers of one origin: same scalar, same or-null pointer, same packet pointer. Bit 31 is BPF_ADD_CONST. */
  get id(): number { return this.store.u32[this.#at32 + ID] as number; }
  set id(value: number) { this.store.u32[this.#at32 + ID] = value; }
  /** The acquired reference that this pointer carries, 0 if none. */
  get refObjId(): number { return this.store.s32[this.#at32 + REF_OBJ_ID] as number; }
  set refObjId(value: number) { this.store.s32[this.#at32 + REF_OBJ_ID] = value; }
  /** For PTR_TO_STACK: the frame it points into. */
  get frameno(): number { return this.store.s32[this.#at32 + FRAMENO] as number; }
  set frameno(value: number) { this.store.s32[this.#at32 + FRAMENO] = value; }
  /** A scalar whose exact range matters to safety, so pruning must compare it exactly. */
  get precise(): boolean { return this.store.s32[this.#at32 + PRECISE] !== 0; }
  set precise(value: boolean) { this.store.s32[this.#at32 + PRECISE] = value ? 1 : 0; }
  /** For map pointers and map values: 1 + index into the environment's maps (0 none). Inner maps' templates have indices of their own. */
  get mapIndex(): number { return this.store.s32[this.#at32 + MAP_INDEX] as number; }
  set mapIndex(value: number) { this.store.s32[this.#at32 + MAP_INDEX] = value; }
  /** Tells apart inner maps that came from different look-ups. */
  get mapUid(): number { return this.store.s32[this.#at32 + MAP_UID] as number; }
  set mapUid(value: number) { this.store.s32[this.#at32 + MAP_UID] = value; }
  /** By type: packet pointers' proven range in bytes; PTR_TO_MEM's size; PTR_TO_BTF_ID's BTF type id. The kernel's union. */
  get extra(): number { return this.store.s32[this.#at32 + EXTRA] as number; }
  set extra(value: number) { this.store.s32[this.#at32 + EXTRA] = value; }
  /** For PTR_TO_FUNC: the subprogram. */
  get subprogno(): number { return this.store.s32[this.#at32 + SUBPROG] as number; }
  set subprogno(value: number) { this.store.s32[this.#at32 + SUBPROG] = value; }

  /** tnum: known bits' values. `varValue & varMask` is 0. */
  get varValue(): bigint { return this.store.u64[this.#at64 + VAR_VALUE] as bigint; }
  set varValue(value: bigint) { this.store.u64[this.#at64 + VAR_VALUE] = value; }
  /** tnum: unknown bits. */
  get varMask(): bigint { return this.store.u64[this.#at64 + VAR_MASK] as bigint; }
  set varMask(value: bigint) { this.store.u64[this.#at64 + VAR_MASK] = value; }
  get sminValue(): bigint { return this.store.s64[this.#at64 + SMIN] as bigint; }
  set sminValue(value: bigint) { this.store.s64[this.#at64 + SMIN] = value; }
  get smaxValue(): bigint { return this.store.s64[this.#at64 + SMAX] as bigint; }
  set smaxValue(value: bigint) { this.store.s64[this.#at64 + SMAX] = value; }
  get uminValue(): bigint { return this.store.u64[this.#at64 + UMIN] as bigint; }
  set uminValue(value: bigint) { this.store.u64[this.#at64 + UMIN] = value; }
  get umaxValue(): bigint { return this.store.u64[this.#at64 + UMAX] as bigint; }
  set umaxValue(value: bigint) { this.store.u64[this.#at64 + UMAX] = value; }
  get s32MinValue(): number { return this.store.s32[this.#at32 + S32_MIN_VALUE] as number; }
  set s32MinValue(value: number) { this.store.s32[this.#at32 + S32_MIN_VALUE] = value; }
  get s32MaxValue(): number { return this.store.s32[this.#at32 + S32_MAX_VALUE] as number; }
  set s32MaxValue(value: number) { this.store.s32[this.#at32 + S32_MAX_VALUE] = value; }
  get u32MinValue(): number { return this.store.u32[this.#at32 + U32_MIN_VALUE] as number; }
  set u32MinValue(value: number) { this.store.u32[this.#at32 + U32_MIN_VALUE] = value; }
  get u32MaxValue(): number { return this.store.u32[this.#at32 + U32_MAX_VALUE] as number; }
  set u32MaxValue(value: number) { this.store.u32[this.#at32 + U32_MAX_VALUE] = value; }

  /** True when every bit of a scalar (or of a pointer's variable offset) is known. */
  get isConst(): boolean { return this.store.s32[this.at + W_MASK] === 0 && this.store.s32[this.at + W_MASK + 1] === 0; }
}
