// The language of the filter box: words that must occur in a row's method, host, path or process, and `key:value`
// terms; `-` before a term negates it, quotes keep spaces, commas inside a value mean "or".
import type { ConnectionRow, TrafficRow } from "../../src/protocol/editor.ts";
import { offeredVersion } from "./connection-facts.ts";
import { hostOf, outcomeOf, pathOf, sizeOf, typeOf } from "./row-facts.ts";

export type FilterResult =
  | { ok: true; matches: (row: TrafficRow) => boolean; empty: boolean }
  /** `message` is one sentence for the person who is typing. */
  | { ok: false; message: string };

type Matcher = (row: TrafficRow) => boolean;
/** Makes a matcher of one value, or says what such a value must look like. */
type Term = (value: string) => Matcher | string;

/** Parses the filter. Never throws: a term that cannot be understood gives `ok: false` and the reason. */
export function parseFilter(text: string): FilterResult {
  const matchers: Matcher[] = [];
  for (const word of words(text)) {
    const negated = word.text.startsWith("-") && word.text.length > 1 && !word.quoted;
    const body = negated ? word.text.slice(1) : word.text;
    const matcher = word.quoted ? freeText(body) : term(body);
    if (typeof matcher === "string") return { ok: false, message: matcher };
    matchers.push(negated ? (row) => !matcher(row) : matcher);
  }
  return {
    ok: true,
    empty: matchers.length === 0,
    matches: (row) => matchers.every((matches) => matches(row)),
  };
}

function words(text: string): { text: string; quoted: boolean }[] {
  // A quoted word, or a run without spaces in which a value may be quoted: path:"/a b".
  return [...text.matchAll(/"([^"]*)"?|(?:[^\s"]|"[^"]*"?)+/g)]
    .map((match) => ({ text: match[1] ?? match[0].replaceAll('"', ""), quoted: match[1] !== undefined }))
    .filter((word) => word.text !== "");
}

function term(word: string): Matcher | string {
  const colon = word.indexOf(":");
  const key = word.slice(0, colon).toLowerCase();
  const make = colon > 0 ? terms.get(key) : undefined;
  // An unknown key is text: `localhost:8443` must find its rows.
  if (make === undefined) return freeText(word);
  const values = word
    .slice(colon + 1)
    .split(",")
    .filter((value) => value !== "");
  if (values.length === 0) return `${key}: needs a value`;
  const matchers: Matcher[] = [];
  for (const value of values) {
    const matcher = make(value);
    if (typeof matcher === "string") return matcher;
    matchers.push(matcher);
  }
  return (row) => matchers.some((matches) => matches(row));
}

function freeText(word: string): Matcher {
  return contains(
    word,
    (row) => (row.type === "exchange" ? row.method : null),
    hostOf,
    pathOf,
    (row) => row.command,
    pidText,
  );
}

function pidText({ pid }: TrafficRow): string | null {
  return pid === null ? null : pid.toString();
}

function contains(word: string, ...facts: ((row: TrafficRow) => string | null)[]): Matcher {
  const wanted = word.toLowerCase();
  return (row) => facts.some((fact) => fact(row)?.toLowerCase().includes(wanted) === true);
}

/** Keys of connections of which only metadata is seen say nothing of other rows. */
const terms = new Map<string, Term>([
  ["status", status],
  [
    "method",
    (value) => (row) => row.type === "exchange" && row.method?.toLowerCase() === value.toLowerCase(),
  ],
  ["process", (value) => contains(value, (row) => row.command, pidText)],
  [
    "pid",
    (value) => (/^\d+$/.test(value) ? (row) => row.pid === Number(value) : `pid:${value} is not a number`),
  ],
  ["host", (value) => contains(value, hostOf)],
  [
    "address",
    (value) =>
      contains(
        value,
        (row) => row.connection.local,
        (row) => row.connection.remote,
      ),
  ],
  ["path", (value) => contains(value, pathOf)],
  ["type", (value) => contains(value, typeOf, (row) => (row.type === "exchange" ? row.contentType : null))],
  [
    "alpn",
    (value) =>
      contains(
        value,
        ofHello((row) => row.alpn?.join(" ") ?? null),
      ),
  ],
  [
    "ja3",
    (value) =>
      contains(
        value,
        ofHello((row) => row.ja3),
      ),
  ],
  [
    "ja4",
    (value) =>
      contains(
        value,
        ofHello((row) => row.ja4),
      ),
  ],
  [
    "interface",
    (value) =>
      contains(
        value,
        ofHello((row) => row.interface),
      ),
  ],
  ["version", (value) => contains(value, ofHello(offeredVersion))],
  ["is", is],
  ["larger-than", largerThan],
  ["slower-than", slowerThan],
]);

function ofHello(fact: (row: ConnectionRow) => string | null): (row: TrafficRow) => string | null {
  return (row) => (row.type === "connection" ? fact(row) : null);
}

function status(value: string): Matcher | string {
  const range = statusRange(value.toLowerCase());
  if (range === null) return `status:${value} is not a status: try 404, 5xx or 400-499`;
  const [least, most] = range;
  return (row) => row.type === "exchange" && row.status !== null && row.status >= least && row.status <= most;
}

function statusRange(value: string): [least: number, most: number] | null {
  if (/^[1-5]xx$/.test(value)) return [Number(value[0]) * 100, Number(value[0]) * 100 + 99];
  if (/^\d{3}$/.test(value)) return [Number(value), Number(value)];
  const range = /^(\d{3})-(\d{3})$/.exec(value);
  return range === null ? null : [Number(range[1]), Number(range[2])];
}

function is(value: string): Matcher | string {
  switch (value.toLowerCase()) {
    case "pending":
    case "incomplete":
    case "message":
    case "blocked":
      return (row) => outcomeOf(row) === value.toLowerCase();
    case "metadata":
      return (row) => row.type === "connection";
    case "open":
      return (row) => row.type === "connection" && row.state === "open";
    case "ech":
      return (row) => row.type === "connection" && row.encryptedClientHello === true;
    case "error":
      return (row) => ["client-error", "server-error", "incomplete", "blocked"].includes(outcomeOf(row));
    default:
      return `is:${value} is not known: try is:error, is:pending, is:incomplete, is:message, is:metadata, is:blocked, is:open or is:ech`;
  }
}

const byteFactors: Record<string, number> = {
  "": 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  kib: 1024,
  m: 1e6,
  mb: 1e6,
  mib: 1024 ** 2,
  g: 1e9,
  gb: 1e9,
  gib: 1024 ** 3,
};

function largerThan(value: string): Matcher | string {
  const least = quantity(value, byteFactors);
  if (least === null) return `larger-than:${value} is not a size: try 500, 10k or 1.5MB`;
  return (row) => (sizeOf(row) ?? 0) > least;
}

const millisecondFactors: Record<string, number> = { "": 1, ms: 1, s: 1000, m: 60_000, min: 60_000 };

function slowerThan(value: string): Matcher | string {
  const least = quantity(value, millisecondFactors);
  if (least === null) return `slower-than:${value} is not a duration: try 100ms, 1.5s or 2m`;
  return (row) => row.type !== "message" && row.durationMs !== null && row.durationMs > least;
}

function quantity(value: string, factors: Record<string, number>): number | null {
  const parts = /^(\d+(?:\.\d+)?|\.\d+)([a-z]*)$/.exec(value.toLowerCase());
  const factor = Object.hasOwn(factors, parts?.[2] ?? "") ? factors[parts?.[2] ?? ""] : undefined;
  return parts === null || factor === undefined ? null : Number(parts[1]) * factor;
}
