// Which prototype a helper call is checked against, for the program under verification.
// Source: behaviour of get_helper_proto and bpf_helper_changes_pkt_data, Linux 6.18.

import {
  BPF_FUNC_clone_redirect, BPF_FUNC_l3_csum_replace, BPF_FUNC_l4_csum_replace, BPF_FUNC_lwt_push_encap, BPF_FUNC_lwt_seg6_action,
  BPF_FUNC_lwt_seg6_adjust_srh, BPF_FUNC_lwt_seg6_store_bytes, BPF_FUNC_msg_pop_data, BPF_FUNC_msg_pull_data, BPF_FUNC_msg_push_data,
  BPF_FUNC_skb_adjust_room, BPF_FUNC_skb_change_head, BPF_FUNC_skb_change_proto, BPF_FUNC_skb_change_tail, BPF_FUNC_skb_pull_data,
  BPF_FUNC_skb_store_bytes, BPF_FUNC_skb_vlan_pop, BPF_FUNC_skb_vlan_push, BPF_FUNC_store_hdr_opt, BPF_FUNC_tail_call, BPF_FUNC_xdp_adjust_head,
  BPF_FUNC_xdp_adjust_meta, BPF_FUNC_xdp_adjust_tail, helperById, type HelperProto,
} from '../spec/helpers.ts';
import type { VerifierEnv } from './env.ts';

const CHANGES_PKT_DATA: ReadonlySet<number> = new Set([
  BPF_FUNC_clone_redirect, BPF_FUNC_l3_csum_replace, BPF_FUNC_l4_csum_replace, BPF_FUNC_lwt_push_encap, BPF_FUNC_lwt_seg6_action,
  BPF_FUNC_lwt_seg6_adjust_srh, BPF_FUNC_lwt_seg6_store_bytes, BPF_FUNC_msg_pop_data, BPF_FUNC_msg_pull_data, BPF_FUNC_msg_push_data,
  BPF_FUNC_skb_adjust_room, BPF_FUNC_skb_change_head, BPF_FUNC_skb_change_proto, BPF_FUNC_skb_change_tail, BPF_FUNC_skb_pull_data,
  BPF_FUNC_skb_store_bytes, BPF_FUNC_skb_vlan_pop, BPF_FUNC_skb_vlan_push, BPF_FUNC_store_hdr_opt, BPF_FUNC_xdp_adjust_head,
  BPF_FUNC_xdp_adjust_meta, BPF_FUNC_xdp_adjust_tail,
  // A program that is tail-called may do any of the above.
  BPF_FUNC_tail_call,
]);

/** Whether the helper may move packet data, which invalidates all packet pointers. */
export const helperChangesPktData = (id: number): boolean => CHANGES_PKT_DATA.has(id);

/** The prototype that programs of this type call helper `id` by; undefined when they may not call it at all. */
export function helperProto(_env: VerifierEnv, id: number): HelperProto | undefined {
  return helperById(id);
}
