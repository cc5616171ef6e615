// The grammar of an HTTP/1 head, a line at a time (RFC 9112, sections 2 to 5), strict where a line must prove that
// bytes are HTTP at all and tolerant elsewhere. Collecting the lines is left to http1-stream.ts.
import type { Header } from "../../protocol/traffic.ts";

export interface RequestLine {
  side: "request";
  method: string;
  target: string;
  /** The x of HTTP/1.x. */
  minor: number;
}

export interface StatusLine {
  side: "response";
  status: number;
  reason: string;
  minor: number;
}

export type StartLine = RequestLine | StatusLine;
export type Side = StartLine["side"];

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const longestMethod = 32;
const control = /\p{Cc}/u;
const nonAscii = /[\u0080-\u00ff]/;

/** Methods that may be cut out of a line whose start belongs to something else, such as the end of a body. */
const knownMethods = [
  ..."GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH QUERY PROPFIND PROPPATCH MKCOL COPY MOVE".split(
    " ",
  ),
  ..."UNLOCK LOCK SEARCH REPORT MERGE PURGE SUBSCRIBE UNSUBSCRIBE NOTIFY".split(" "),
].sort((a, b) => b.length - a.length);

/** Wire bytes as a string with one character a byte, so that offsets stay true. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** A `latin1` string as a person reads it: UTF-8 where its bytes are valid UTF-8, as they were otherwise. */
export function readable(wire: string): string {
  if (!nonAscii.test(wire)) return wire;
  const decoded = Buffer.from(wire, "latin1").toString("utf8");
  return decoded.includes("\ufffd") ? wire : decoded;
}

function isTarget(target: string): boolean {
  return target !== "" && !control.test(target);
}

/** True for a target that no text would have by chance: a path, `*`, a URL, or an authority for CONNECT. */
function isUsualTarget(method: string, target: string): boolean {
  if (method === "CONNECT") return /^\S+:\d+$/.test(target);
  return target.startsWith("/") || target === "*" || /^[a-z][a-z0-9+.-]*:\/\//i.test(target);
}

function readRequestLine(line: string): RequestLine | null {
  const version = / HTTP\/1\.(\d)$/.exec(line);
  const space = line.indexOf(" ");
  if (version === null || space < 1 || space > longestMethod || space >= version.index) return null;
  const method = line.slice(0, space);
  const target = line.slice(space + 1, version.index).trim();
  if (!token.test(method) || !isTarget(target)) return null;
  return { side: "request", method, target: readable(target), minor: Number(version[1]) };
}

function readStatusLine(line: string): StatusLine | null {
  const match = /^HTTP\/1\.(\d) ([1-9]\d\d)(?: ([^]*))?$/.exec(line);
  const reason = match?.[3] ?? "";
  if (match === null || control.test(reason.replaceAll("\t", " "))) return null;
  return { side: "response", status: Number(match[2]), reason: readable(reason), minor: Number(match[1]) };
}

/** Reads a line, without its line end, that must be a start line from its first character on. */
export function readStartLine(line: string, side: Side | null): StartLine | null {
  return (
    (side === "request" ? null : readStatusLine(line)) ?? (side === "response" ? null : readRequestLine(line))
  );
}

/** Finds a start line at the end of a line that may begin with other bytes: how a parser gets back in step. */
export function findStartLine(line: string, side: Side | null): StartLine | null {
  if (side !== "request") {
    const at = line.lastIndexOf("HTTP/1.");
    const status = at === -1 ? null : readStatusLine(line.slice(at));
    if (status !== null) return status;
  }
  return side === "response" ? null : findRequestLine(line);
}

function findRequestLine(line: string): RequestLine | null {
  const version = / HTTP\/1\.(\d)$/.exec(line);
  if (version === null) return null;
  const targetAt = line.lastIndexOf(" ", version.index - 1) + 1;
  if (targetAt < 2) return null;
  const target = line.slice(targetAt, version.index);
  const before = line.slice(Math.max(0, targetAt - 1 - longestMethod), targetAt - 1);
  const startsLine = before.length === targetAt - 1;
  const usual = /^[A-Z][A-Z-]*$/.test(before) || knownMethods.includes(before.toUpperCase());
  const method =
    knownMethods.find((known) => before.endsWith(known)) ?? (startsLine && usual ? before : undefined);
  if (method === undefined || !isTarget(target) || !isUsualTarget(method, target)) return null;
  return { side: "request", method, target: readable(target), minor: Number(version[1]) };
}

/**
 * Adds a header line to `headers`: a field, or the continuation of the last one (obs-fold, RFC 9112 section 5.2).
 * False when it is neither; then nothing is added.
 */
export function addHeaderLine(headers: Header[], line: string): boolean {
  if (line.startsWith(" ") || line.startsWith("\t")) {
    const last = headers.at(-1);
    if (last === undefined) return false;
    const more = readable(line).trim();
    last[1] = last[1] === "" || last[1] === null ? more : `${last[1]} ${more}`;
    return true;
  }
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(0, colon)).trimEnd();
  if (!token.test(name)) return false;
  headers.push([name, readable(line.slice(colon + 1)).trim()]);
  return true;
}

/** All values of a field, joined by commas (RFC 9110 section 5.3); null when it is absent. Names ignore case. */
export function fieldValue(headers: readonly Header[], name: string): string | null {
  const values = headers.filter(([key]) => key?.toLowerCase() === name).map(([, value]) => value ?? "");
  return values.length === 0 ? null : values.join(", ");
}

/** The comma-separated members of a field, lower-case, without parameters. */
export function fieldTokens(headers: readonly Header[], name: string): string[] {
  const members = (fieldValue(headers, name) ?? "").split(",");
  return members.map((member) => (member.split(";")[0] ?? "").trim().toLowerCase()).filter((m) => m !== "");
}

/** Longest first line that is waited for before the first bytes are judged without its end. */
export const longestStart = 16 * 1024;

/** How a connection's first bytes in one direction look: HTTP/1 by its start line, something else, or too few to tell. */
export function judgeStart(bytes: Uint8Array): Side | "undecided" | "other" {
  const text = latin1(bytes.subarray(0, longestStart)).replace(/^[\r\n]+/, "");
  const end = text.indexOf("\n");
  if (end !== -1) return readStartLine(text.slice(0, end).trimEnd(), null)?.side ?? "other";
  if (control.test(text.trimEnd())) return "other";
  if (bytes.length >= longestStart) return text.includes(" ") && mayBeRequest(text) ? "request" : "other";
  return startsAlike(text, "HTTP/1.") || mayBeRequest(text) ? "undecided" : "other";
}

function startsAlike(text: string, expected: string): boolean {
  return text.startsWith(expected.slice(0, text.length)) || expected.startsWith(text);
}

/** True for the beginning of a request line that has a usual target. Method names in lower case must be known ones. */
function mayBeRequest(text: string): boolean {
  const space = text.indexOf(" ");
  const method = space === -1 ? text : text.slice(0, space);
  if (method.length > longestMethod) return false;
  const known = knownMethods.some((m) =>
    space === -1 ? m.startsWith(method.toUpperCase()) : m === method.toUpperCase(),
  );
  if (!known && !/^[A-Z][A-Z-]*$/.test(method)) return false;
  const target = space === -1 ? "" : text.slice(space + 1).toLowerCase();
  const usual = target === "" || target.startsWith("/") || target.startsWith("*") || method === "CONNECT";
  return usual || startsAlike(target, "http://") || startsAlike(target, "https://");
}
