// What each tab of the detail pane says about an exchange or a message. The row gives what is known before the
// details arrive. The tab of a connection is connection-tab.ts's.
import type { TrafficRow } from "../../src/protocol/editor.ts";
import type {
  BodyView,
  Connection,
  ExchangeEvent,
  Header,
  MessageEvent,
  SourceLocation,
} from "../../src/protocol/traffic.ts";
import { bodyBytes, mediaTypeOf } from "./body-forms.ts";
import { bodyView } from "./body-view.ts";
import { connectionTab } from "./connection-tab.ts";
import { element, type Child } from "./dom.ts";
import { queryFields } from "./form-fields.ts";
import { formatBytes, formatDuration, formatTime, sentence } from "./format.ts";
import type { Details, Inspected } from "./inspection.ts";
import { noteElement, placeholder, properties, section, type Property } from "./properties.ts";
import * as facts from "./row-facts.ts";
import type { TabId } from "./saved-state.ts";

export interface Subject extends Inspected {
  openSource: (source: SourceLocation) => void;
  /** Puts a text into the filter box. */
  filter: (text: string) => void;
}

interface Tab {
  id: TabId;
  title: string;
  content(subject: Subject): Child[];
}

const exchangeTabs: Tab[] = [
  { id: "headers", title: "Headers", content: headersTab },
  { id: "request", title: "Request", content: (subject) => sideTab(subject, "request") },
  { id: "response", title: "Response", content: (subject) => sideTab(subject, "response") },
  { id: "timing", title: "Timing", content: timingTab },
];

const messageTabs: Tab[] = [
  { id: "response", title: "Message", content: messageTab },
  { id: "timing", title: "Timing", content: timingTab },
];

const connectionTabs: Tab[] = [{ id: "headers", title: "Connection", content: metadataTab }];

export function tabsOf(row: TrafficRow): readonly Tab[] {
  return { exchange: exchangeTabs, message: messageTabs, connection: connectionTabs }[row.type];
}

function headersTab(subject: Subject): Child[] {
  const { row, startMs } = subject.entry;
  if (row.type !== "exchange") return [];
  const reason = facts.reasonOf(row);
  const exchange = exchangeOf(subject.details);
  const grpc: Property[] = row.grpcStatus === undefined ? [] : [["grpc-status", row.grpcStatus.toString()]];
  const status = row.status === null ? null : [row.status, exchange?.response?.reason ?? ""].join(" ").trim();
  return [
    reason === null ? null : noteElement({ severity: "warning", text: sentence(reason) }),
    section(
      "General",
      null,
      properties([
        ["URL", facts.urlOf(row)],
        ["Method", row.method],
        ["Status", row.state === "pending" && status === null ? "pending" : status],
        ...grpc,
        ["Protocol", row.protocol],
        ["Started", formatTime(startMs)],
        ["Source", sourceLink(subject)],
      ]),
    ),
    ...absent(subject.details),
    ...headerSections("Response", exchange?.response),
    ...headerSections("Request", exchange?.request),
  ];
}

function headerSections(
  side: string,
  view: { headers: Header[]; trailers?: Header[] } | null | undefined,
): Child[] {
  if (view === undefined) return [];
  if (view === null)
    return [section(`${side} headers`, null, placeholder(`The ${side.toLowerCase()} was not seen`))];
  const parts: Child[] = [section(`${side} headers`, view.headers.length, headerTable(view.headers))];
  if (view.trailers !== undefined && view.trailers.length > 0) {
    parts.push(section(`${side} trailers`, view.trailers.length, headerTable(view.trailers)));
  }
  return parts;
}

function headerTable(headers: readonly Header[]): HTMLElement {
  return headers.length === 0 ? placeholder("None") : properties(headers);
}

function sideTab(subject: Subject, side: "request" | "response"): Child[] {
  const exchange = exchangeOf(subject.details);
  if (exchange === null) return absent(subject.details);
  const view = exchange[side];
  const label = side === "request" ? "Request body" : "Response body";
  if (view === null) {
    const waiting = exchange.state === "pending" && side === "response";
    return [placeholder(waiting ? "Waiting for the response" : `The ${side} was not seen`)];
  }
  const query = side === "request" ? queryFields(exchange.request?.target ?? null) : [];
  const mediaType = mediaTypeOf(view.headers);
  const kind = mediaType ?? "type not known";
  const body = bodyView({ label, body: view.body, size: view.bodySize, mediaType, kind });
  if (query.length === 0) return [body];
  return [section("Query", query.length, properties(query)), section("Body", null, body)];
}

function metadataTab({ entry: { row }, decryptedCount, filter }: Subject): Child[] {
  return row.type === "connection" ? connectionTab({ row, decryptedCount, filter }) : [];
}

function messageTab(subject: Subject): Child[] {
  const { row } = subject.entry;
  if (row.type !== "message") return [];
  const preview: BodyView = messageOf(subject.details)?.preview ?? row.preview;
  const omittedBytes = row.size - bodyBytes(preview).length;
  return [
    bodyView({
      label: "Message",
      body: omittedBytes > 0 ? { ...preview, omittedBytes } : preview,
      size: row.size,
      mediaType: null,
      kind: row.protocol ?? "protocol not known",
    }),
  ];
}

function timingTab(subject: Subject): Child[] {
  const { row, startMs, endMs } = subject.entry;
  if (row.type === "connection") return [];
  const exchange = exchangeOf(subject.details);
  const times: Property[] =
    row.type === "message"
      ? [["Seen", formatTime(startMs)]]
      : [
          ["Started", formatTime(startMs)],
          ["Ended", endMs === null ? (row.state === "pending" ? "pending" : null) : formatTime(endMs)],
          ["Duration", row.durationMs === null ? null : formatDuration(row.durationMs)],
        ];
  const sizes: Property[] =
    row.type === "message"
      ? [["Size", formatBytes(row.size)]]
      : [
          ["Request body", formatBytes(row.requestSize)],
          ["Response body", formatBytes(row.responseSize)],
        ];
  return [
    section("Timing", null, properties(times)),
    section("Size", null, properties(sizes)),
    section("Connection", null, properties(connectionRows(row.connection, row.protocol))),
    section(
      "Process",
      null,
      properties([
        ["Command", row.command],
        ["Process id", row.pid.toString()],
        ["Seen by", exchange?.path ?? null],
        ["Source", sourceLink(subject)],
      ]),
    ),
  ];
}

function connectionRows(connection: Connection, protocol: string | null): Property[] {
  return [
    ["Role", connection.role],
    ["Local", connection.local],
    ["Remote", connection.remote],
    ["Server name", connection.serverName],
    ["Protocol", protocol],
    ["Id", connection.id],
  ];
}

const confidenceWords: Record<SourceLocation["confidence"], string> = {
  line: "",
  function: "in this function",
  possible: "possibly here",
};

function sourceLink({ entry, details, openSource }: Subject): HTMLElement | null {
  const source =
    (entry.row.type === "exchange" ? entry.row.source : undefined) ?? exchangeOf(details)?.source;
  if (source === undefined) return null;
  const name = source.file.slice(source.file.lastIndexOf("/") + 1);
  const button = element(
    "button",
    {
      class: "link",
      type: "button",
      title: `Open ${source.file}:${source.line}`,
      click: () => {
        openSource(source);
      },
    },
    `${name}:${source.line}`,
  );
  const words = [
    source.function === undefined ? "" : `${source.function}()`,
    confidenceWords[source.confidence],
  ];
  return element("span", {}, button, element("span", { class: "faint" }, ` ${words.join(" ").trim()}`));
}

/** What to say where the details are not there; nothing where they are. */
function absent(details: Details): Child[] {
  if (details === undefined) return [placeholder("Loading…")];
  if (details === null) return [placeholder("Headers and bodies of this row are no longer kept")];
  return [];
}

function exchangeOf(details: Details): ExchangeEvent | null {
  return details?.type === "exchange" ? details : null;
}

function messageOf(details: Details): MessageEvent | null {
  return details?.type === "message" ? details : null;
}
