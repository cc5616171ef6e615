// Makes up traffic as a small shop's services would cause it: the same every time, so that pictures and tests are too.
import type { ExchangeRow, MessageRow, TrafficRow } from "../../src/protocol/editor.ts";
import {
  maskedValue,
  type BodyView,
  type Connection,
  type ExchangeEvent,
  type Header,
  type MessageEvent,
} from "../../src/protocol/traffic.ts";
import { connectionSample, isDecrypted } from "./sample-connections.ts";

interface Sample {
  row: TrafficRow;
  details: ExchangeEvent | MessageEvent | null;
}

const clients = [
  { pid: 4242, command: "node", role: "client" as const },
  { pid: 4310, command: "python3", role: "client" as const },
  { pid: 981, command: "nginx", role: "server" as const },
];

const routes = [
  {
    method: "GET",
    path: "/orders?customer=71&page=2&sort=-created",
    host: "api.shop.example",
    status: 200,
    type: "json",
  },
  { method: "POST", path: "/orders", host: "api.shop.example", status: 201, type: "json" },
  { method: "GET", path: "/static/app.8f2c1d.js", host: "cdn.shop.example", status: 200, type: "javascript" },
  {
    method: "GET",
    path: "/products/1184/images/front.png",
    host: "cdn.shop.example",
    status: 200,
    type: "png",
  },
  { method: "POST", path: "/v1/charges", host: "payments.example.com", status: 402, type: "form" },
  { method: "GET", path: "/session", host: "localhost:8443", status: 304, type: "none" },
  { method: "PUT", path: "/inventory/items/55", host: "localhost:8443", status: 503, type: "text" },
  { method: "DELETE", path: "/carts/9f1b", host: "localhost:8443", status: 204, type: "none" },
  {
    method: "GET",
    path: "/search?q=blue%20shoes&limit=50",
    host: "search.shop.example",
    status: 404,
    type: "json",
  },
  { method: "POST", path: "/shop.Stock/Reserve", host: "stock.internal:443", status: 200, type: "grpc" },
];

/** The `index`th row of the traffic that began at `startMs` (milliseconds since the epoch), `gapMs` apart. */
export function sampleAt(index: number, startMs: number, gapMs: number): Sample {
  const chance = randomAt(index);
  const { client, connection } = connectionAt(index);
  const [greeting, place] = [Math.floor(index / 13), index % 13];
  const at = startMs + index * gapMs + chance() * gapMs * 3;
  if (place === 6) {
    const next = connectionAt(index + 1);
    const decrypted = { ...next.client, connection: next.connection };
    const startedAt = new Date(startMs + index * gapMs).toISOString();
    return {
      row: connectionSample(greeting, `x${index}`, startedAt, decrypted),
      details: null,
    };
  }
  if (place === 7 && isDecrypted(greeting)) connection.hello = `x${index - 1}`;
  if (index % 17 === 13) return messageSample(index, at, client, connection);
  const route = routes[Math.floor(chance() ** 1.8 * routes.length)] ?? routes[0];
  if (route === undefined) throw new Error("make sample traffic: no route");
  connection.serverName = route.host.split(":")[0] ?? null;

  const state = index % 37 === 19 ? "incomplete" : "complete";
  const durationMs = Math.round((3 + chance() ** 4 * 900) * 1000) / 1000;
  const [type, body] = bodyOf(route.type, index);
  const size = state === "incomplete" ? 512 : Math.round(200 + chance() ** 3 * 180_000);
  const grpc = route.type === "grpc" ? { grpcStatus: index % 2 === 0 ? 0 : 8 } : {};
  const shared = {
    type: "exchange" as const,
    id: `x${index}`,
    pid: client.pid,
    command: client.command,
    connection,
    protocol: index % 3 === 0 ? ("h2" as const) : ("http/1.1" as const),
    state: state as ExchangeRow["state"],
    startedAt: new Date(at).toISOString(),
    durationMs: state === "complete" ? durationMs : null,
    ...grpc,
    ...(state === "incomplete"
      ? { problem: { code: "connection-closed", text: "connection closed before the response ended" } }
      : {}),
    ...(client.command === "node"
      ? {
          source: {
            file: "/srv/shop/src/api.js",
            line: 41,
            column: 7,
            function: "placeOrder",
            confidence: "line" as const,
          },
        }
      : {}),
  };
  const requestBody = route.method === "POST" ? requestBodyOf(route.type, index) : null;
  const row: ExchangeRow = {
    ...shared,
    method: route.method,
    target: route.path,
    authority: route.host,
    status: state === "incomplete" && index % 2 === 0 ? null : route.status,
    requestSize: requestBody?.text.length ?? 0,
    responseSize: type === null ? 0 : size,
    contentType: type,
  };
  const details: ExchangeEvent = {
    ...shared,
    path: "uprobe",
    request: {
      method: route.method,
      target: route.path,
      authority: route.host,
      headers: requestHeaders(route.host, requestBody === null ? null : route.type),
      bodySize: requestBody?.text.length ?? 0,
      body: requestBody,
    },
    response:
      row.status === null
        ? null
        : {
            status: row.status,
            reason:
              { 200: "OK", 201: "Created", 404: "Not Found", 503: "Service Unavailable" }[row.status] ?? null,
            headers: responseHeaders(type),
            ...(route.type === "grpc"
              ? {
                  trailers: [
                    ["grpc-status", String(grpc.grpcStatus)],
                    ["grpc-message", "out of stock"],
                  ] as Header[],
                }
              : {}),
            bodySize: row.responseSize,
            body:
              state === "incomplete" && body !== null
                ? { ...body, problem: "the connection was closed in mid-body" }
                : body,
          },
  };
  return { row, details };
}

function connectionAt(index: number) {
  const client = clients[index % clients.length] ?? clients[0];
  if (client === undefined) throw new Error("make sample traffic: no client");
  const connection: Connection = {
    id: `${client.pid}-${Math.floor(index / 4)}`,
    role: client.role,
    local: index % 11 === 5 ? null : `127.0.0.1:${40_000 + (index % 900)}`,
    remote: index % 11 === 5 ? null : "203.0.113.24:443",
    serverName: null,
  };
  return { client, connection };
}

function messageSample(
  index: number,
  at: number,
  client: { pid: number; command: string },
  connection: Connection,
): Sample {
  const preview =
    index % 2 === 0
      ? { text: '{"type":"tick","seq":' + index.toString() + "}" }
      : { hex: "16030100c8010000c40303a1b2c3d4e5f60718293a4b5c6d7e8f" };
  const shared = {
    type: "message" as const,
    id: `x${index}`,
    pid: client.pid,
    command: client.command,
    connection,
    protocol: index % 2 === 0 ? "websocket" : null,
    direction: index % 4 < 2 ? ("out" as const) : ("in" as const),
    size: 26 + (index % 400),
    preview,
  };
  const startedAt = new Date(at).toISOString();
  const row: MessageRow = { ...shared, startedAt };
  return { row, details: { ...shared, at: startedAt } };
}

function requestHeaders(host: string, bodyType: string | null): Header[] {
  const type = bodyType === "form" ? "application/x-www-form-urlencoded" : "application/json";
  return [
    ["host", host],
    ["user-agent", "shop-api/3.4 (node 22.11.0)"],
    ["accept", "application/json, text/plain;q=0.9, */*;q=0.1"],
    ["accept-encoding", "gzip, br"],
    ["authorization", `Bearer ${maskedValue}`],
    ...(bodyType === null ? [] : ([["content-type", type]] satisfies Header[])),
    ["x-request-id", "0193f7a2-5c1e-7b7a-9d43-6a2f0f6f2b11"],
    ["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
    ["cookie", maskedValue],
    [null, null],
  ];
}

function responseHeaders(type: string | null): Header[] {
  return [
    ["date", "Sat, 31 Jan 2026 12:00:00 GMT"],
    ...(type === null ? [] : ([["content-type", `${type}; charset=utf-8`]] satisfies Header[])),
    ["cache-control", "no-store"],
    ["strict-transport-security", "max-age=31536000; includeSubDomains; preload"],
    ["server", "nginx"],
    ["set-cookie", maskedValue],
  ];
}

function requestBodyOf(type: string, index: number): { text: string } {
  if (type === "form")
    return { text: `amount=1999&currency=eur&source=tok_${maskedValue}&description=Order+%23${index}` };
  return { text: JSON.stringify({ customer: 71, items: [{ sku: "A-1184", quantity: 2 }], note: null }) };
}

function bodyOf(type: string, index: number): [type: string | null, body: BodyView | null] {
  switch (type) {
    case "json":
      return ["application/json", { text: orderJson(index), decodedFrom: "gzip" }];
    case "form":
      return [
        "application/json",
        { text: '{"error":{"code":"card_declined","message":"Your card was declined."}}' },
      ];
    case "javascript":
      return [
        "text/javascript",
        {
          text: "export function total(items) {\n\treturn items.reduce((sum, item) => sum + item.price, 0);\n}\n".repeat(
            40,
          ),
          omittedBytes: 151_204,
        },
      ];
    case "png":
      return ["image/png", { hex: `89504e470d0a1a0a0000000d49484452${"0010203040506070".repeat(200)}` }];
    case "text":
      return ["text/plain", { text: "upstream connect error or disconnect/reset before headers\n" }];
    case "grpc":
      return ["application/grpc", { hex: "000000000c0a0a6f75742d6f662d73746f" }];
    default:
      return [null, null];
  }
}

function orderJson(index: number): string {
  const order = (number: number): unknown => ({
    id: 9_007_199_254_740_000 + number,
    created: "2026-01-31T12:00:00.000Z",
    customer: { id: 71, name: "Ada Lovelace", email: "ada@example.com", vip: true },
    items: [
      { sku: "A-1184", title: "Blue shoes", price: 59.9, quantity: 2 },
      { sku: "C-20", title: "Laces “long”", price: 3.5, quantity: 1 },
    ],
    discount: null,
    tags: [],
  });
  return JSON.stringify({
    page: 2,
    total: index,
    orders: Array.from({ length: 12 }, (_, at) => order(index + at)),
  });
}

/** A generator of numbers from 0 up to 1 that depends on the index alone. */
function randomAt(index: number): () => number {
  let state = index + 1;
  return () => {
    // Multiply to spread the low bits upwards, shift to bring the high bits down.
    state = Math.imul(state ^ (state >>> 15), 0x9e3779b1);
    state ^= state >>> 13;
    return (state >>> 0) / 2 ** 32;
  };
}
