// Whether this host can reach IPv6 addresses beyond its own link: where it cannot, a program has to learn that from the
// kernel, at once, to go on with IPv4.

/** `RTF_REJECT` of linux/route.h: an unreachable route. */
const reject = 0x0200;

/** @param table /proc/net/ipv6_route; the columns are those of rt6_info_route in the kernel's net/ipv6/route.c */
export function hasIpv6Route(table: string): boolean {
  return table.split("\n").some((line) => {
    const columns = line.trim().split(/\s+/);
    const [destination = "", , , , , , , , flags = ""] = columns;
    if (columns.length < 10 || columns[9] === "lo") return false;
    return !/^(?:fe[89ab]|ff)/.test(destination) && (Number.parseInt(flags, 16) & reject) === 0;
  });
}
