import type { Handler } from './frame.ts';
export const PACKET_LOAD_HANDLERS: readonly (readonly [number, Handler])[] = [];
