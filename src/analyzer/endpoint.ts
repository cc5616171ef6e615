// Writes the end of a connection as text, the same for what the kernel's records and what /proc tell, so that the two
// can be compared.

/** `address:port`; IPv6 as RFC 5952 writes it, in brackets; an IPv4-mapped address (RFC 4291, 2.5.5.2) as IPv4. */
export function endpoint(address: Uint8Array, port: number): string {
  if (address.length === 4) return `${address.join(".")}:${port}`;
  const mapped =
    address.subarray(0, 10).every((byte) => byte === 0) && address[10] === 0xff && address[11] === 0xff;
  if (mapped) return `${address.subarray(12).join(".")}:${port}`;
  const groups = Array.from(
    { length: 8 },
    (_, i) => ((address[2 * i] ?? 0) << 8) | (address[2 * i + 1] ?? 0),
  );
  const text = groups.map((group) => group.toString(16)).join(":");
  // The URL parser compresses the longest run of zeros.
  return `${new URL(`http://[${text}]`).hostname}:${port}`;
}

/** `address:port` of an address in text, with brackets where it is IPv6. */
export const endpointOf = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
