// The smallest pcapng file that holds given packets: one section, one interface per link type, enhanced packet blocks; either byte order.
// Source: draft-ietf-opsawg-pcapng.

/** A packet of the file. */
export interface PcapngPacket { readonly data: Uint8Array; readonly timestampNs: bigint; readonly linkType?: number; readonly origLen?: number }

const NANOSECONDS = 9;

/** A pcapng file with nanosecond timestamps. */
export function pcapng(packets: readonly PcapngPacket[], littleEndian = true): Uint8Array {
  const links = [...new Set(packets.map((packet) => packet.linkType ?? 1))];
  const out: Uint8Array[] = [block(0x0a0d0d0a, 16, littleEndian, (view) => {
    view.setUint32(0, 0x1a2b3c4d, littleEndian);
    view.setUint16(4, 1, littleEndian);
    view.setBigInt64(8, -1n, littleEndian);
  })];
  for (const link of links) {
    out.push(block(1, 20, littleEndian, (view) => {
      view.setUint16(0, link, littleEndian);
      view.setUint32(4, 262144, littleEndian);
      view.setUint16(8, 9, littleEndian);
      view.setUint16(10, 1, littleEndian);
      view.setUint8(12, NANOSECONDS);
    }));
  }
  for (const packet of packets) out.push(packetBlock(packet, links.indexOf(packet.linkType ?? 1), littleEndian));
  return new Uint8Array(Buffer.concat(out));
}

function packetBlock({ data, timestampNs, origLen }: PcapngPacket, interfaceId: number, littleEndian: boolean): Uint8Array {
  return block(6, 20 + ((data.length + 3) & ~3), littleEndian, (view, body) => {
    view.setUint32(0, interfaceId, littleEndian);
    view.setUint32(4, Number(timestampNs >> 32n), littleEndian);
    view.setUint32(8, Number(timestampNs & 0xffff_ffffn), littleEndian);
    view.setUint32(12, data.length, littleEndian);
    view.setUint32(16, origLen ?? data.length, littleEndian);
    body.set(data, 20);
  });
}

function block(type: number, bodyBytes: number, littleEndian: boolean, fill: (view: DataView, body: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(12 + bodyBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, littleEndian);
  view.setUint32(4, bytes.length, littleEndian);
  view.setUint32(8 + bodyBytes, bytes.length, littleEndian);
  fill(new DataView(bytes.buffer, 8, bodyBytes), bytes.subarray(8, 8 + bodyBytes));
  return bytes;
}
