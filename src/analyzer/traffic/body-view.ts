// A body as it is shown: decoded, as text where its bytes are text, else as hex, with what is missing told. Masking of
// secrets is given in, so that it sees the decoded text (redact.ts).
import type { BodyView, Header } from "../../protocol/traffic.ts";
import { decodeContent } from "./content-decoding.ts";
import { fieldTokens, fieldValue } from "./http1-head.ts";
import type { ParsedBody } from "./parsed.ts";

/** Masks the secrets of a text. Binary bodies are given one character a byte, and `filler` must be of those. */
export type Mask = (text: string, filler?: string) => string;

/** How a body is shown; null for an empty one. */
export function bodyView(body: ParsedBody, headers: readonly Header[], mask: Mask): BodyView | null {
  if (body.size === 0) return null;
  const codings = [...fieldTokens(headers, "content-encoding"), ...fieldTokens(headers, "transfer-encoding")];
  const decoded = decodeContent(
    body.kept,
    codings.filter((coding) => coding !== "chunked"),
  );
  const cut = !body.complete || body.kept.length < body.size || decoded.problem !== null;
  const omittedBytes = body.size - body.kept.length;
  const problems = [decoded.problem, body.complete ? null : "not all of it was seen"].filter(
    (text) => text !== null,
  );
  return {
    ...shownBytes(decoded.bytes, charsetOf(headers), cut, mask),
    ...(decoded.undone.length > 0 && { decodedFrom: decoded.undone.join(", ") }),
    ...(omittedBytes > 0 && { omittedBytes }),
    ...(problems.length > 0 && { problem: problems.join("; ") }),
  };
}

/**
 * Text where the bytes are text in their charset, else hex.
 * @param charset a label as of the WHATWG encoding standard; null for UTF-8
 * @param cut the last character may be broken
 */
export function shownBytes(
  bytes: Uint8Array,
  charset: string | null,
  cut: boolean,
  mask: Mask,
): { text: string } | { hex: string } {
  const text =
    decodeText(bytes, charset ?? "utf-8", cut) ?? (charset === null ? null : decodeText(bytes, "utf-8", cut));
  if (text !== null) return { text: mask(text) };
  const binary = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  return { hex: Buffer.from(mask(binary, "*"), "latin1").toString("hex") };
}

/** Control characters that no text has; those of terminals' escape sequences are text. */
const notText = /[^\P{Cc}\t\n\r\f\b\u0080-\u009f]|\ufffe|\uffff/u;
const escape = "\u001b";

function decodeText(bytes: Uint8Array, charset: string, cut: boolean): string | null {
  try {
    const text = new TextDecoder(charset, { fatal: true }).decode(bytes, { stream: cut });
    return notText.test(text.replaceAll(escape, "")) ? null : text;
  } catch {
    // An unknown charset, or bytes that are none of its characters.
    return null;
  }
}

function charsetOf(headers: readonly Header[]): string | null {
  const type = fieldValue(headers, "content-type") ?? "";
  return /;\s{0,8}charset\s{0,8}=\s{0,8}"?([\w.:-]{1,40})/i.exec(type)?.[1] ?? null;
}
