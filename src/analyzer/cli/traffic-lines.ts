// One exchange or message as one line of a terminal, and with --verbose its headers and bodies below it.
import type { BodyView, ExchangeEvent, Header, MessageEvent } from "../../protocol/traffic.ts";
import { formatDuration, formatSize } from "./quantities.ts";
import { fit, painter, printable, type Paint, type Style, type Terminal } from "./terminal.ts";
import { clock, columnsOf, durationWidth, methodWidth, processName, statusWidth } from "./traffic-columns.ts";

/** A finished exchange in one line, without the line's end. */
export function exchangeLine(exchange: ExchangeEvent, terminal: Terminal): string {
  const paint = painter(terminal);
  const columns = columnsOf(terminal);
  const { request, response, connection, durationMs, problem } = exchange;
  const host = request?.authority ?? connection.serverName ?? connection.remote ?? "";
  const target = request === null ? "(the request was not seen)" : `${host}${request.target ?? ""}`;
  const status = response?.status ?? null;
  const line = [
    paint("dim", clock(exchange.startedAt, columns.time)),
    fit(processName(exchange), columns.process),
    [
      paint("dim", arrow(connection.role)),
      paint("bold", fit(request?.method ?? "?", methodWidth)),
      fit(printable(target), columns.target),
      paint(statusStyle(status), fit(status === null ? "–" : String(status), statusWidth)),
      fit(durationMs === null ? "" : formatDuration(durationMs), durationWidth, "right"),
    ].join(" "),
    paint("dim", fit(sizes(exchange, columns.sizes), columns.sizes, "right")),
  ].join("  ");
  const grpc = exchange.grpcStatus === undefined ? "" : `  grpc-status ${exchange.grpcStatus}`;
  return `${line.trimEnd()}${grpc}${problem ? paint("yellow", `  ! ${problem.text}`) : ""}`;
}

export function messageLine(message: MessageEvent, terminal: Terminal): string {
  const paint = painter(terminal);
  const columns = columnsOf(terminal);
  const preview = "text" in message.preview ? message.preview.text : message.preview.hex;
  const label = `${message.protocol ?? "message"} ${formatSize(message.size)}`;
  const room = columns.target + statusWidth + durationWidth + columns.sizes;
  return [
    paint("dim", clock(message.at, columns.time)),
    fit(processName(message), columns.process),
    `${message.direction === "out" ? "→" : "←"} ${label}  ${paint("dim", fit(printable(preview), room - label.length))}`,
  ]
    .join("  ")
    .trimEnd();
}

/** Headers and bodies of an exchange, indented. */
export function exchangeDetails(exchange: ExchangeEvent, terminal: Terminal): string {
  const paint = painter(terminal);
  const { request, response } = exchange;
  const blocks = [
    ...(request ? [headerLines("request", request.headers, paint), bodyLines(request.body)] : []),
    ...(response ? [headerLines("response", response.headers, paint), bodyLines(response.body)] : []),
    headerLines("trailers", response?.trailers ?? [], paint),
  ];
  return blocks.filter((block) => block !== "").join("\n");
}

function headerLines(title: string, headers: Header[], paint: Paint): string {
  const shown = headers.map(
    ([name, value]) =>
      `    ${paint("cyan", printable(name ?? "(unknown)"))}: ${printable(value ?? "(unknown)")}`,
  );
  return shown.length === 0 ? "" : [`  ${paint("dim", title)}`, ...shown].join("\n");
}

function bodyLines(body: BodyView | null): string {
  if (body === null) return "";
  const text = body.text ?? body.hex ?? "";
  const notes = [
    body.decodedFrom === undefined ? "" : `decoded from ${body.decodedFrom}`,
    body.omittedBytes === undefined ? "" : `${formatSize(body.omittedBytes)} not shown`,
    body.problem ?? "",
  ].filter((note) => note !== "");
  const lines = text === "" ? [] : text.split("\n").map((line) => `    ${printable(line)}`);
  if (notes.length > 0) lines.push(`    (${notes.join("; ")})`);
  return lines.join("\n");
}

/** Out of the traced process when it is the client, into it when it is the server. */
export function arrow(role: "client" | "server" | null): string {
  if (role === null) return " ";
  return role === "client" ? "→" : "←";
}

function statusStyle(status: number | null): Style {
  if (status === null) return "dim";
  if (status >= 500) return "red";
  if (status >= 400) return "yellow";
  return status >= 300 ? "cyan" : "green";
}

function sizes({ request, response }: ExchangeEvent, width: number): string {
  const received = formatSize(response?.bodySize ?? 0);
  return width > 12 ? `${formatSize(request?.bodySize ?? 0)} ⇢ ${received}` : received;
}
