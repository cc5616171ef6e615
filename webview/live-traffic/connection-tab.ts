// The details of a connection of which only metadata is known: all its facts in tables, why there is no more, and what
// could be done about it.
import type { ConnectionRow } from "../../src/protocol/editor.ts";
import { element, type Child } from "./dom.ts";
import { capitalised, formatBytes, formatCount, formatDuration, formatTime, sentence } from "./format.ts";
import { noteElement, properties, section, type Property } from "./properties.ts";
import { processOf, reasonOf } from "./row-facts.ts";

export interface ConnectionSubject {
  row: ConnectionRow;
  /** Rows of the list that are this connection's content. */
  decryptedCount: number;
  /** Puts a text into the filter box. */
  filter: (text: string) => void;
}

export function connectionTab(subject: ConnectionSubject): Child[] {
  const { row } = subject;
  const startMs = Date.parse(row.startedAt);
  return [
    row.problem === undefined ? null : noteElement({ severity: "warning", text: sentence(row.problem.text) }),
    explanation(subject),
    section(
      "Connection",
      null,
      properties([
        ["Server name", serverName(row)],
        ["State", capitalised(row.state === "blocked" ? (reasonOf(row) ?? row.state) : row.state)],
        ["Role", row.connection.role],
        ["Local", row.connection.local],
        ["Remote", row.connection.remote],
        ["Transport", row.transport === "quic" ? "QUIC" : (row.transport?.toUpperCase() ?? null)],
        ["Interface", row.interface],
      ]),
    ),
    section("ClientHello", null, properties(helloFacts(row))),
    section(
      "Time and size",
      null,
      properties([
        ["Started", formatTime(startMs)],
        ["Ended", ended(row, startMs)],
        ["Duration", row.durationMs === null ? untold(row) : formatDuration(row.durationMs)],
        ["Bytes out", bytes(row.bytesOut, row)],
        ["Bytes in", bytes(row.bytesIn, row)],
      ]),
    ),
    section(
      "Process",
      null,
      properties([
        ["Command", row.command],
        ["Process id", row.pid?.toString() ?? null],
      ]),
    ),
  ];
}

/** Without a hello nothing of this is known; a hello that names none of something says so. */
function helloFacts(row: ConnectionRow): Property[] {
  const isUnderstood = row.problem === undefined;
  const list = (offered: string[] | null): string | null => {
    if (offered === null || (offered.length === 0 && !isUnderstood)) return null;
    return offered.length === 0 ? "none" : offered.join(", ");
  };
  return [
    ["Protocols (ALPN)", list(row.alpn)],
    ["TLS versions", list(row.versions)],
    [
      "Encrypted (ECH)",
      row.encryptedClientHello === null || !isUnderstood ? null : row.encryptedClientHello ? "yes" : "no",
    ],
    ["JA4", row.ja4],
    ["JA3", row.ja3],
  ];
}

function serverName(row: ConnectionRow): Child {
  const aside = (text: string): HTMLElement => element("span", { class: "faint" }, text);
  if (row.serverName === null) {
    const isTold = row.transport !== null && row.problem === undefined;
    return isTold ? aside("none given") : null;
  }
  if (row.encryptedClientHello !== true) return row.serverName;
  return element(
    "span",
    {},
    row.serverName,
    aside(" (it may be a cover: the hello holds an encrypted part)"),
  );
}

function ended(row: ConnectionRow, startMs: number): string | null {
  if (row.state === "open") return row.durationMs === null ? "not yet" : "still open when watching ended";
  return row.durationMs === null ? null : formatTime(startMs + row.durationMs);
}

function untold(row: ConnectionRow): string | null {
  return row.durationMs === null && row.state === "open" ? "told when it ends" : null;
}

function bytes(count: number | null, row: ConnectionRow): string | null {
  if (count === null) return untold(row);
  const protocol = row.transport === "quic" ? "QUIC" : "TLS";
  return `${formatBytes(count)} (${count.toLocaleString("en-US")} bytes, with what ${protocol} adds)`;
}

/** Why there is no content, and what could be done. */
function explanation({ row, decryptedCount, filter }: ConnectionSubject): HTMLElement {
  if (decryptedCount > 0) {
    const note = noteElement({
      severity: "info",
      text: `This connection is decrypted, too: ${formatCount(decryptedCount, "row")} of the list ${decryptedCount === 1 ? "is" : "are"} its content. `,
    });
    const show = (): void => {
      filter(`address:${row.connection.local ?? ""}`);
    };
    note.lastElementChild?.append(element("button", { class: "link", type: "button", click: show }, "Show"));
    return note;
  }
  if (row.state === "blocked") {
    const rule = row.rule === undefined ? "" : `, by the rule ${row.rule}`;
    return noteElement({
      severity: "info",
      text: `It was refused for its server's name${rule}: take that off the list to let it pass.`,
    });
  }
  const where = row.interface === null ? "" : ` (${row.interface})`;
  const who = row.pid === null ? "the process, once you know which it is," : processOf(row);
  return noteElement({
    severity: "info",
    text: `Seen on the network${where}, where all but the hello is encrypted: to see its content, trace ${who} with probes, or start it through the proxy.`,
  });
}
