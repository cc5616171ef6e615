// What decoded fields mean in HTTP/2 (RFC 9113, section 8.3): pseudo-header fields apart from the headers, also where
// some fields are not known.
import type { Header } from "../../protocol/traffic.ts";

/** The end of a connection that sends requests, or the one that answers them. */
export type Sender = "client" | "server";

export interface RequestHead {
  method: string | null;
  target: string | null;
  authority: string | null;
  headers: Header[];
}

export interface ResponseHead {
  status: number | null;
  headers: Header[];
}

const requestPseudoHeaders: ReadonlySet<string> = new Set([
  ":method",
  ":scheme",
  ":authority",
  ":path",
  ":protocol",
]);

/** Who sent a block with these fields; null when no pseudo-header field is known to be there. */
export function senderOfFields(fields: readonly Header[]): Sender | null {
  for (const [name] of fields) {
    if (name === ":status") return "server";
    if (name !== null && requestPseudoHeaders.has(name)) return "client";
  }
  return null;
}

/** True when no pseudo-header field can be there, known or not: trailers, not a head. */
export function areTrailers(fields: readonly Header[]): boolean {
  const first = fields[0];
  return first?.[0] != null && !first[0].startsWith(":");
}

export function requestHead(fields: readonly Header[]): RequestHead {
  const pseudo = pseudoHeaders(fields);
  const method = pseudo.get(":method") ?? null;
  const authority = pseudo.get(":authority") ?? hostHeader(fields);
  // Plain CONNECT has no path: its target is the authority (section 8.5), and ":method" and ":authority" is all it needs.
  const isConnect = method === "CONNECT" && !pseudo.has(":path");
  const mayBeConnect = (method ?? "CONNECT") === "CONNECT" && !pseudo.has(":path") && !pseudo.has(":scheme");
  const required = mayBeConnect ? [":method", ":authority"] : [":method", ":scheme", ":path"];
  return {
    method,
    target: pseudo.get(":path") ?? (isConnect ? authority : null),
    authority,
    headers: regularHeaders(fields, required.filter((name) => !pseudo.has(name)).length),
  };
}

export function responseHead(fields: readonly Header[]): ResponseHead {
  const status = pseudoHeaders(fields).get(":status");
  return {
    status: status !== undefined && /^\d{3}$/.test(status) ? Number(status) : null,
    headers: regularHeaders(fields, status === undefined ? 1 : 0),
  };
}

export function trailers(fields: readonly Header[]): Header[] {
  return fields.filter(([name]) => !isPseudo(name));
}

function isPseudo(name: string | null): boolean {
  return name?.startsWith(":") ?? false;
}

/** The first of each name; a name that is known has a known value. */
function pseudoHeaders(fields: readonly Header[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of fields) {
    if (name !== null && isPseudo(name) && value !== null && !found.has(name)) found.set(name, value);
  }
  return found;
}

/** The index of the first field that is known not to be a pseudo-header field: these come before all others. */
function firstRegularIndex(fields: readonly Header[]): number {
  const index = fields.findIndex(([name]) => name !== null && !isPseudo(name));
  return index === -1 ? fields.length : index;
}

/** The Host header; null too where an unknown field may be an `:authority`, which would outrank it (section 8.3.1). */
function hostHeader(fields: readonly Header[]): string | null {
  const mayHaveAuthority = fields.slice(0, firstRegularIndex(fields)).some(([name]) => name === null);
  return mayHaveAuthority ? null : (fields.find(([name]) => name === "host")?.[1] ?? null);
}

/**
 * The fields without pseudo-header fields. An unknown field is one of those when a known one comes after it, and so are
 * the first unknown ones before the known headers while `missing` required pseudo-header fields must be among them.
 */
function regularHeaders(fields: readonly Header[], missing: number): Header[] {
  const lastPseudo = fields.findLastIndex(([name]) => isPseudo(name));
  const firstRegular = firstRegularIndex(fields);
  let unknownPseudo = 0;
  return fields.filter(([name], index) => {
    if (name !== null) return !isPseudo(name);
    if (index > firstRegular) return true;
    if (index > lastPseudo && unknownPseudo >= missing) return true;
    unknownPseudo++;
    return false;
  });
}
