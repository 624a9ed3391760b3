// Which prototype a helper call is checked against, for the program under verification.
// Source: behaviour of get_helper_proto, Linux 6.18; the facts are in spec/prog-type-helpers.ts and spec/helper-facts.ts.

import { CHANGES_PACKET } from '../spec/helper-facts.ts';
import type { HelperProto } from '../spec/helpers.ts';
import { helperProtoFor } from '../spec/prog-type-helpers.ts';
import type { VerifierEnv } from './env.ts';

/** Whether the helper may move packet data, which invalidates all packet pointers. */
export const helperChangesPktData = (id: number): boolean => CHANGES_PACKET.has(id);

/** The prototype that this program calls helper `id` by; undefined when it may not call it at all. */
export const helperProto = (env: VerifierEnv, id: number): HelperProto | undefined =>
  helperProtoFor(env.prog.type, id, env.prog.expectedAttachType, { bpf: env.bpfCapable, perfmon: env.allowPtrLeaks });
