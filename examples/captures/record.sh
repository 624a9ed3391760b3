#!/usr/bin/env bash
# Records examples/captures/mixed.pcap: real traffic (TCP, UDP, DNS, ICMP, ICMPv6, IPv6, VLAN) between two network namespaces
# joined by a veth pair. The VLAN frames are tagged by
# a packet socket, so that no 8021q module is needed. Needs root, iproute2, tcpdump, python3, curl, dig, dnsmasq, ping. Touches nothing outside its namespaces.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/mixed.pcap}
a=bpfkit-a b=bpfkit-b
work=$(mktemp -d)
cleanup() {
  for ns in $a $b; do ip netns pids $ns 2>/dev/null | xargs -r kill 2>/dev/null || true; done
  ip netns del $a 2>/dev/null || true
  ip netns del $b 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

ip netns add $a
ip netns add $b
ip link add veth-a netns $a address 02:00:00:00:00:0a type veth peer name veth-b netns $b address 02:00:00:00:00:0b
for side in a b; do
  ns=bpfkit-$side dev=veth-$side
  n=$([ $side = a ] && echo 1 || echo 2)
  ip -n $ns link set lo up
  ip netns exec $ns ethtool -K $dev tx off rx off gso off tso off gro off >/dev/null 2>&1 || true
  ip -n $ns addr add 10.1.0.$n/24 dev $dev
  ip -n $ns addr add 2001:db8:1::$n/64 dev $dev nodad
  ip -n $ns link set $dev up
done
sleep 1
ip netns exec $b tcpdump -i veth-b -s 0 -w "$work/mixed.pcap" -U >/dev/null 2>&1 &
sleep 1
mkdir "$work/www"
head -c 60000 /dev/zero | tr '\0' 'b' > "$work/www/index.html"
(cd "$work/www" && ip netns exec $b python3 -m http.server 80 --bind :: >/dev/null 2>&1) &
ip netns exec $b dnsmasq --no-daemon --no-resolv --no-hosts --conf-file=/dev/null --user=root --listen-address=10.1.0.2,2001:db8:1::2 --bind-interfaces \
  --address=/bpfkit.test/10.1.0.2 --address=/bpfkit.test/2001:db8:1::2 >/dev/null 2>&1 &
sleep 1
run() { ip netns exec $a "$@" >/dev/null 2>&1 || true; }
run ping -c 5 -i 0.1 10.1.0.2
run ping -6 -c 5 -i 0.1 2001:db8:1::2
run ping -c 2 -i 0.1 -s 1200 10.1.0.2
for i in $(seq 1 6); do run dig +tries=1 +time=1 @10.1.0.2 host$i.bpfkit.test A; run dig +tries=1 +time=1 @2001:db8:1::2 host$i.bpfkit.test AAAA; done
for i in $(seq 1 4); do run curl -s http://10.1.0.2/; done
for i in $(seq 1 2); do run curl -s -g "http://[2001:db8:1::2]/"; done
run curl -s --max-time 1 http://10.1.0.2:81/
run python3 -c '
import socket
for family, host in ((socket.AF_INET, "10.1.0.2"), (socket.AF_INET6, "2001:db8:1::2")):
    s = socket.socket(family, socket.SOCK_DGRAM)
    for port in (5001, 5002, 5003):
        for size in (1, 64, 512, 1400):
            s.sendto(b"u" * size, (host, port))
'
# A tagged UDP datagram and a tagged ARP request, VLAN 42, eight of each; and one double-tagged (QinQ) frame.
run python3 -c '
import socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("veth-a", 0))
macs = bytes.fromhex("02000000000b02000000000a")
def ip(payload):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 7, 0, 64, 17, 0, bytes([10, 42, 0, 1]), bytes([10, 42, 0, 2]))
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xffff) + (total >> 16)
    return head[:10] + struct.pack("!H", ~total & 0xffff) + head[12:] + payload
for i in range(8):
    udp = struct.pack("!HHHH", 4000 + i, 4242, 8 + 32, 0) + bytes(32)
    s.send(macs + struct.pack("!HHH", 0x8100, 42, 0x0800) + ip(udp))
    arp = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, macs[6:], bytes([10, 42, 0, 1]), bytes(6), bytes([10, 42, 0, 2]))
    s.send(b"\xff" * 6 + macs[6:] + struct.pack("!HHH", 0x8100, 42, 0x0806) + arp)
s.send(macs + struct.pack("!HHHHH", 0x88a8, 7, 0x8100, 42, 0x0800) + ip(struct.pack("!HHHH", 4100, 4242, 8, 0)))
'
sleep 1
cp "$work/mixed.pcap" "$out"
