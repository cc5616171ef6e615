// Writes an exchange's request as a curl command for bash or zsh. Whatever a stranger put into the request, the
// command must stay one command when it is pasted: every word is quoted, and control characters are escaped.
import { maskedValue, type ExchangeEvent, type Header } from "../../src/protocol/traffic.ts";
import { bytesFromHex } from "./hex-dump.ts";

export interface CurlCommand {
  text: string;
  /** Sentences about what the command does not repeat faithfully. */
  warnings: string[];
}

/** The command, or null when the request, its target or its host is not known. */
export function curlCommand(exchange: ExchangeEvent): CurlCommand | null {
  const { request, connection } = exchange;
  const host = request?.authority ?? connection.serverName ?? connection.remote;
  if (request?.target == null || host === null) return null;
  const { method, target, headers, body } = request;
  const warnings: string[] = [];

  const words: string[] = ["curl"];
  words.push(...urlWords(target, host));
  const hasBody = body !== null && request.bodySize > 0;
  words.push(...methodWords(method, hasBody));
  for (const header of headers) {
    const argument = headerArgument(header, body?.decodedFrom !== undefined, request.authority);
    if (argument !== null) words.push("-H", shellQuote(argument));
  }
  if (headers.some(([name]) => name?.toLowerCase() === "accept-encoding")) words.push("--compressed");

  const masked = headers
    .filter(([, value]) => value?.includes(maskedValue) === true)
    .map(([name]) => name ?? "a header");
  if (body?.text?.includes(maskedValue) === true) masked.push("the body");
  if (target.includes(maskedValue)) masked.push("the URL");
  if (masked.length > 0)
    warnings.push(`Masked: ${masked.join(", ")}. Put your own values in place of ${maskedValue}.`);
  if (headers.some(([name, value]) => name === null || value === null)) {
    warnings.push("Some headers are not known and were left out.");
  }
  if (request.authority === null)
    warnings.push("The host is taken from the connection, not from the request.");
  if (body?.decodedFrom !== undefined) warnings.push(`The body is sent decoded, not as ${body.decodedFrom}.`);
  if ((body?.omittedBytes ?? 0) > 0 || body?.problem !== undefined) warnings.push("The body is not whole.");

  let before = "";
  if (hasBody && body.text !== undefined) words.push("--data-raw", shellQuote(body.text));
  else if (hasBody && body.hex !== undefined) {
    // No shell word can carry a NUL byte, so bytes go through printf's octal escapes.
    before = `printf '${octalEscapes(bytesFromHex(body.hex))}' | `;
    words.push("--data-binary", "@-");
  }
  return { text: before + lines(words), warnings };
}

function urlWords(target: string, host: string): string[] {
  const absolute = /^https?:\/\//i.test(target);
  const url = absolute ? target : `https://${host}${target.startsWith("/") ? target : "/"}`;
  const words = [shellQuote(url)];
  if (!absolute && !target.startsWith("/")) words.push("--request-target", shellQuote(target));
  // curl expands braces and brackets, and squashes dot segments, unless told not to.
  if (/[[\]{}]/.test(url)) words.push("--globoff");
  if (/\/\.{1,2}(\/|$|\?)/.test(url)) words.push("--path-as-is");
  return words;
}

function methodWords(method: string | null, hasBody: boolean): string[] {
  if (method === null || method === (hasBody ? "POST" : "GET")) return [];
  return method === "HEAD" && !hasBody ? ["--head"] : ["-X", shellQuote(method)];
}

/** curl writes these itself; to repeat them could contradict the body it sends. */
const ownHeaders = new Set([
  "content-length",
  "transfer-encoding",
  "accept-encoding",
  "connection",
  "expect",
  "te",
]);

function headerArgument([name, value]: Header, decoded: boolean, authority: string | null): string | null {
  if (name === null || value === null) return null;
  const lower = name.toLowerCase();
  // Not a field name (RFC 9110, section 5.1): a pseudo-header, or something curl would read as an option or a file.
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(lower)) return null;
  if (ownHeaders.has(lower) || (lower === "host" && value === authority)) return null;
  if (decoded && lower === "content-encoding") return null;
  // An empty value needs a semicolon, or curl removes the header.
  return value === "" ? `${name};` : `${name}: ${value}`;
}

/** One word for bash and zsh that means exactly `text`; NUL, which no word can carry, is left out. */
export function shellQuote(text: string): string {
  const clean = text.replaceAll("\0", "");
  if (/^[\w@%+=:,./-]+$/.test(clean)) return clean;
  // eslint-disable-next-line no-control-regex -- control characters are what must be found: a terminal would act on them
  if (!/[\x00-\x1f\x7f-\x9f]/.test(clean)) return `'${clean.replaceAll("'", String.raw`'\''`)}'`;
  // eslint-disable-next-line no-control-regex -- as above
  return `$'${clean.replace(/[\\'\x00-\x1f\x7f-\x9f]/g, ansiEscape)}'`;
}

function ansiEscape(character: string): string {
  const short: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", "'": "\\'" };
  const code = character.charCodeAt(0);
  const byte = `\\x${code.toString(16).padStart(2, "0")}`;
  // The bytes of UTF-8, for \u would depend on the shell's locale.
  return short[character] ?? (code > 0x7f ? `\\xc2${byte}` : byte);
}

function octalEscapes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}

/** One option and its value a line, as one reads it best. */
function lines(words: readonly string[]): string {
  let text = "";
  words.forEach((word, index) => {
    const option = word.startsWith("-") && !words[index - 1]?.startsWith("-");
    text += index === 0 ? word : option ? ` \\\n  ${word}` : ` ${word}`;
  });
  return text;
}
