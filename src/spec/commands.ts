// The commands of bpf(2).
// Invariant: COMMANDS is indexed by command number without gaps; BPF_PROG_RUN is BPF_PROG_TEST_RUN's newer name.
// Source: uapi/linux/bpf.h `enum bpf_cmd`, Linux 6.18.

import type { KernelVersion } from './versions.ts';

export const BPF_MAP_CREATE = 0;
export const BPF_MAP_LOOKUP_ELEM = 1;
export const BPF_MAP_UPDATE_ELEM = 2;
export const BPF_MAP_DELETE_ELEM = 3;
export const BPF_MAP_GET_NEXT_KEY = 4;
export const BPF_PROG_LOAD = 5;
export const BPF_OBJ_PIN = 6;
export const BPF_OBJ_GET = 7;
export const BPF_PROG_ATTACH = 8;
export const BPF_PROG_DETACH = 9;
export const BPF_PROG_TEST_RUN = 10;
export const BPF_PROG_RUN = 10;
export const BPF_PROG_GET_NEXT_ID = 11;
export const BPF_MAP_GET_NEXT_ID = 12;
export const BPF_PROG_GET_FD_BY_ID = 13;
export const BPF_MAP_GET_FD_BY_ID = 14;
export const BPF_OBJ_GET_INFO_BY_FD = 15;
export const BPF_PROG_QUERY = 16;
export const BPF_RAW_TRACEPOINT_OPEN = 17;
export const BPF_BTF_LOAD = 18;
export const BPF_BTF_GET_FD_BY_ID = 19;
export const BPF_TASK_FD_QUERY = 20;
export const BPF_MAP_LOOKUP_AND_DELETE_ELEM = 21;
export const BPF_MAP_FREEZE = 22;
export const BPF_BTF_GET_NEXT_ID = 23;
export const BPF_MAP_LOOKUP_BATCH = 24;
export const BPF_MAP_LOOKUP_AND_DELETE_BATCH = 25;
export const BPF_MAP_UPDATE_BATCH = 26;
export const BPF_MAP_DELETE_BATCH = 27;
export const BPF_LINK_CREATE = 28;
export const BPF_LINK_UPDATE = 29;
export const BPF_LINK_GET_FD_BY_ID = 30;
export const BPF_LINK_GET_NEXT_ID = 31;
export const BPF_ENABLE_STATS = 32;
export const BPF_ITER_CREATE = 33;
export const BPF_LINK_DETACH = 34;
export const BPF_PROG_BIND_MAP = 35;
export const BPF_TOKEN_CREATE = 36;
export const BPF_PROG_STREAM_READ_BY_FD = 37;

/** A command of bpf(2). */
export interface CommandSpec { readonly name: string; readonly id: number; readonly since: KernelVersion }

/** Every command, indexed by its number. */
export const COMMANDS = [
  { name: 'BPF_MAP_CREATE', id: 0, since: 3018 },
  { name: 'BPF_MAP_LOOKUP_ELEM', id: 1, since: 3018 },
  { name: 'BPF_MAP_UPDATE_ELEM', id: 2, since: 3018 },
  { name: 'BPF_MAP_DELETE_ELEM', id: 3, since: 3018 },
  { name: 'BPF_MAP_GET_NEXT_KEY', id: 4, since: 3018 },
  { name: 'BPF_PROG_LOAD', id: 5, since: 3018 },
  { name: 'BPF_OBJ_PIN', id: 6, since: 4004 },
  { name: 'BPF_OBJ_GET', id: 7, since: 4004 },
  { name: 'BPF_PROG_ATTACH', id: 8, since: 4010 },
  { name: 'BPF_PROG_DETACH', id: 9, since: 4010 },
  { name: 'BPF_PROG_TEST_RUN', id: 10, since: 4012 },
  { name: 'BPF_PROG_GET_NEXT_ID', id: 11, since: 4013 },
  { name: 'BPF_MAP_GET_NEXT_ID', id: 12, since: 4013 },
  { name: 'BPF_PROG_GET_FD_BY_ID', id: 13, since: 4013 },
  { name: 'BPF_MAP_GET_FD_BY_ID', id: 14, since: 4013 },
  { name: 'BPF_OBJ_GET_INFO_BY_FD', id: 15, since: 4013 },
  { name: 'BPF_PROG_QUERY', id: 16, since: 4015 },
  { name: 'BPF_RAW_TRACEPOINT_OPEN', id: 17, since: 4017 },
  { name: 'BPF_BTF_LOAD', id: 18, since: 4018 },
  { name: 'BPF_BTF_GET_FD_BY_ID', id: 19, since: 4018 },
  { name: 'BPF_TASK_FD_QUERY', id: 20, since: 4018 },
  { name: 'BPF_MAP_LOOKUP_AND_DELETE_ELEM', id: 21, since: 4020 },
  { name: 'BPF_MAP_FREEZE', id: 22, since: 5002 },
  { name: 'BPF_BTF_GET_NEXT_ID', id: 23, since: 5004 },
  { name: 'BPF_MAP_LOOKUP_BATCH', id: 24, since: 5006 },
  { name: 'BPF_MAP_LOOKUP_AND_DELETE_BATCH', id: 25, since: 5006 },
  { name: 'BPF_MAP_UPDATE_BATCH', id: 26, since: 5006 },
  { name: 'BPF_MAP_DELETE_BATCH', id: 27, since: 5006 },
  { name: 'BPF_LINK_CREATE', id: 28, since: 5007 },
  { name: 'BPF_LINK_UPDATE', id: 29, since: 5007 },
  { name: 'BPF_LINK_GET_FD_BY_ID', id: 30, since: 5008 },
  { name: 'BPF_LINK_GET_NEXT_ID', id: 31, since: 5008 },
  { name: 'BPF_ENABLE_STATS', id: 32, since: 5008 },
  { name: 'BPF_ITER_CREATE', id: 33, since: 5008 },
  { name: 'BPF_LINK_DETACH', id: 34, since: 5009 },
  { name: 'BPF_PROG_BIND_MAP', id: 35, since: 5010 },
  { name: 'BPF_TOKEN_CREATE', id: 36, since: 6009 },
  { name: 'BPF_PROG_STREAM_READ_BY_FD', id: 37, since: 6017 },
] as const satisfies readonly CommandSpec[];

/** A command's uapi name. */
export type CommandName = (typeof COMMANDS)[number]['name'];

/** Every command's number by name, BPF_PROG_RUN included. */
export const BPF_COMMANDS = {
  BPF_MAP_CREATE,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_UPDATE_ELEM,
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_GET_NEXT_KEY,
  BPF_PROG_LOAD,
  BPF_OBJ_PIN,
  BPF_OBJ_GET,
  BPF_PROG_ATTACH,
  BPF_PROG_DETACH,
  BPF_PROG_TEST_RUN,
  BPF_PROG_RUN,
  BPF_PROG_GET_NEXT_ID,
  BPF_MAP_GET_NEXT_ID,
  BPF_PROG_GET_FD_BY_ID,
  BPF_MAP_GET_FD_BY_ID,
  BPF_OBJ_GET_INFO_BY_FD,
  BPF_PROG_QUERY,
  BPF_RAW_TRACEPOINT_OPEN,
  BPF_BTF_LOAD,
  BPF_BTF_GET_FD_BY_ID,
  BPF_TASK_FD_QUERY,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
  BPF_MAP_FREEZE,
  BPF_BTF_GET_NEXT_ID,
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH,
  BPF_MAP_UPDATE_BATCH,
  BPF_MAP_DELETE_BATCH,
  BPF_LINK_CREATE,
  BPF_LINK_UPDATE,
  BPF_LINK_GET_FD_BY_ID,
  BPF_LINK_GET_NEXT_ID,
  BPF_ENABLE_STATS,
  BPF_ITER_CREATE,
  BPF_LINK_DETACH,
  BPF_PROG_BIND_MAP,
  BPF_TOKEN_CREATE,
  BPF_PROG_STREAM_READ_BY_FD,
} as const;
