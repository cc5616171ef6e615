// What the views say about a connection of which only metadata is known, and whether its content is seen elsewhere in
// the list. Unknown facts stay null.
import type { ConnectionRow, TrafficRow } from "../../src/protocol/editor.ts";

const versionsNewestFirst = ["1.3", "1.2", "1.1", "1.0"];

/** The highest version of TLS that the client offers, such as `1.3`. */
export function offeredVersion({ versions }: ConnectionRow): string | null {
  return versionsNewestFirst.find((known) => versions?.includes(known)) ?? versions?.[0] ?? null;
}

/** What the hello tells, in one line, the more telling first; null where no hello was seen or understood. */
export function helloSummary(row: ConnectionRow): string | null {
  const version = offeredVersion(row);
  const parts = [
    row.alpn?.[0],
    version === null ? null : `TLS ${version}`,
    row.encryptedClientHello === true ? "ECH" : null,
    row.ja4,
  ].filter((part) => part != null);
  return parts.length === 0 ? null : parts.join(" · ");
}

/** Bytes both ways; null where neither is known. */
export function bytesBothWays({ bytesOut, bytesIn }: ConnectionRow): number | null {
  return bytesOut === null && bytesIn === null ? null : (bytesOut ?? 0) + (bytesIn ?? 0);
}

/** True where the other row is content of this connection, decrypted at this end or at the other. */
export function isContentOf({ type, connection }: TrafficRow, row: ConnectionRow): boolean {
  return type !== "connection" && (connection.hello === row.id || connection.id === row.decrypted);
}
