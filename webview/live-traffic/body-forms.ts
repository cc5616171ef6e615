// Decides how a body can be shown and what must be said about it. It draws nothing.
import { maskedValue, type BodyView, type Header } from "../../src/protocol/traffic.ts";
import { formatBytes, sentence } from "./format.ts";
import { bytesFromHex } from "./hex-dump.ts";
import { jsonDocument } from "./json-lines.ts";

export type BodyForm = "json" | "fields" | "text" | "hex";

export interface Note {
  severity: "info" | "warning";
  text: string;
}

/** Forms in which the body can be shown, the most helpful first; none when there is nothing to show. */
export function bodyForms(body: BodyView | null, mediaType: string | null): BodyForm[] {
  if (body?.text !== undefined && body.text !== "") {
    const forms: BodyForm[] = ["text", "hex"];
    if (mediaType === "application/x-www-form-urlencoded") forms.unshift("fields");
    else if (looksLikeJson(body.text, mediaType)) forms.unshift("json");
    return forms;
  }
  return body?.hex !== undefined && body.hex !== "" ? ["hex"] : [];
}

function looksLikeJson(text: string, mediaType: string | null): boolean {
  const declared = mediaType !== null && /[/+](x-)?(nd)?json/.test(mediaType);
  return (declared || /^\s*[{[]/.test(text)) && jsonDocument(text) !== null;
}

/** The bytes that the hex form shows: a text body's in UTF-8. */
export function bodyBytes(body: BodyView): Uint8Array {
  return body.text !== undefined ? new TextEncoder().encode(body.text) : bytesFromHex(body.hex ?? "");
}

/** What the reader must know about the body beside its content. */
export function bodyNotes(body: BodyView | null): Note[] {
  const notes: Note[] = [];
  if (body === null) return notes;
  if (body.problem !== undefined) notes.push({ severity: "warning", text: sentence(body.problem) });
  if (body.omittedBytes !== undefined && body.omittedBytes > 0) {
    notes.push({
      severity: "warning",
      text: `Only the beginning is kept: ${formatBytes(body.omittedBytes)} more on the wire are not shown.`,
    });
  }
  if (body.decodedFrom !== undefined)
    notes.push({ severity: "info", text: `Decoded from ${body.decodedFrom}.` });
  if (body.text?.includes(maskedValue) === true)
    notes.push({ severity: "info", text: "Secrets in this body are masked." });
  return notes;
}

/** `Content-Type` without its parameters, in lower case. */
export function mediaTypeOf(headers: readonly Header[]): string | null {
  const value = headers.find(([name]) => name?.toLowerCase() === "content-type")?.[1];
  return value?.split(";")[0]?.trim().toLowerCase() ?? null;
}
