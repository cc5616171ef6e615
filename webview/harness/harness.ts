// Plays the extension for the Live traffic view in an ordinary browser: a stand-in for the editor's API, sample
// traffic, and the editor's themes. For development and tests only; the page's query chooses what is played.
import type { StateParams, TrafficRow } from "../../src/protocol/editor.ts";
import type { FromWebview, ToWebview } from "../../src/protocol/webview.ts";
import { sampleAt } from "./sample-traffic.ts";
import { applyTheme, bodyClasses, type ThemeName } from "./themes.ts";

export interface Harness {
  /** What the view sent, oldest first. */
  sent: FromWebview[];
  send(message: ToWebview): void;
  /** Sends the next `count` sample rows as one batch. */
  traffic(count: number): void;
  theme(name: ThemeName): void;
}

/** `idle`, `waiting`, `watching`, `problem`: no rows; `rows`: the number that `rows` gives; `live`: they go on coming. */
type Scenario = "idle" | "waiting" | "watching" | "problem" | "rows" | "live";

const query = new URLSearchParams(location.search);
const scenario = (query.get("scenario") ?? "live") as Scenario;
const firstRows = Number(query.get("rows") ?? "60");
const gapMs = Number(query.get("gap") ?? "180");
/** A fixed clock keeps pictures the same. */
const startMs = Date.UTC(2026, 0, 31, 12, 0, 0);
const stateKey = "live-traffic-state";

let made = 0;
const sent: FromWebview[] = [];

const state: StateParams = {
  tracing:
    scenario === "idle" || scenario === "watching" || scenario === "problem"
      ? []
      : [
          { pid: 4242, command: "node" },
          { pid: 4310, command: "python3" },
          { pid: 981, command: "nginx" },
        ],
  exchanges: 0,
  messages: 0,
  lost: query.has("lost") ? { records: Number(query.get("lost")), bytes: 18_200 } : { records: 0, bytes: 0 },
  ...(scenario === "watching" || query.has("network")
    ? {
        network: {
          interfaces: ["lo", "eth0"],
          connections: scenario === "watching" ? 0 : 12,
          missing: query.has("missing") ? [{ code: "eopnotsupp", text: "wg0: operation not supported" }] : [],
        },
      }
    : {}),
  ...(scenario === "problem"
    ? {
        problem: {
          code: "missing-rights",
          text: "Plainsight may not load eBPF programs here",
          remedy: "Give the tracer its rights once, then trace again.",
          command: "sudo setcap cap_bpf,cap_perfmon,cap_sys_ptrace+ep ~/.vscode/extensions/plainsight/tracer",
        },
      }
    : {}),
};

function send(message: ToWebview): void {
  window.postMessage(message, location.origin);
}

function nextRows(count: number): TrafficRow[] {
  return Array.from({ length: count }, () => sampleAt(made++, startMs, gapMs).row);
}

/** The last rows of a screen are still under way. */
function withPending(rows: TrafficRow[]): TrafficRow[] {
  return rows.map((row, index) =>
    row.type === "exchange" && index >= rows.length - 2
      ? { ...row, state: "pending", status: null, durationMs: null, responseSize: 0, contentType: null }
      : row,
  );
}

function answer(message: FromWebview): void {
  sent.push(message);
  if (message.type === "ready") {
    const rows = scenario === "rows" || scenario === "live" ? withPending(nextRows(firstRows)) : [];
    send({ type: "restore", rows, state, dropped: 0, isNew: true });
    if (scenario === "live")
      setInterval(() => {
        send({ type: "traffic", rows: nextRows(3), dropped: 0 });
      }, 300);
  } else if (message.type === "details") {
    const index = Number(message.id.slice(1));
    send({ type: "details", id: message.id, details: sampleAt(index, startMs, gapMs).details });
  }
}

const harness: Harness = {
  sent,
  send,
  traffic: (count) => {
    send({ type: "traffic", rows: nextRows(count), dropped: 0 });
  },
  theme: applyTheme,
};

const theme = query.get("theme") ?? "dark";
applyTheme(Object.keys(bodyClasses).find((name): name is ThemeName => name === theme) ?? "dark");
Object.assign(window, {
  harness,
  acquireVsCodeApi: () => ({
    postMessage: answer,
    setState: (value: unknown) => {
      sessionStorage.setItem(stateKey, JSON.stringify(value));
    },
    getState: (): unknown => JSON.parse(sessionStorage.getItem(stateKey) ?? "null"),
  }),
});
