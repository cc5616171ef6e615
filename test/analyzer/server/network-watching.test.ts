import assert from "node:assert/strict";
import { test } from "node:test";
import {
  NetworkWatching,
  type EditorNetworkWatchOptions,
} from "../../../src/analyzer/server/network-watching.ts";
import type { Problem } from "../../../src/protocol/editor.ts";
import type { TraceEvent } from "../../../src/protocol/traffic.ts";
import { connectionEnd, hello } from "../cli/hello-fixtures.ts";

const missing = [
  { code: "no-first-received", text: "which process of a server has a connection (Linux 6.3)" },
];
const noRights: Problem = { code: "eperm", text: "not permitted", remedy: "try sudo" };

/** A network that the test plays. */
function played() {
  const opened: EditorNetworkWatchOptions[] = [];
  const events: TraceEvent[] = [];
  const counts = { closed: 0, ended: 0 };
  let refusal: Problem | null = null;
  const watching = new NetworkWatching({
    open(options) {
      if (refusal) return Promise.reject(Object.assign(new Error(refusal.text), { problem: refusal }));
      opened.push(options);
      return Promise.resolve({
        interfaces: ["lo", "eth0"].map((name, at) => ({
          name,
          index: at + 1,
          ingress: "tcx-ingress" as const,
          egress: "tcx-egress" as const,
        })),
        missing,
        close() {
          counts.closed += 1;
          options.onEvent(connectionEnd({ state: "open" }));
          return Promise.resolve({ type: "summary", exchanges: 0, messages: 0, lost: 0, durationMs: 0 });
        },
      });
    },
    onEvent: (event) => events.push(event),
    onEnded: () => (counts.ended += 1),
  });
  const refuse = (problem: Problem | null): void => {
    refusal = problem;
  };
  return { watching, opened, events, counts, refuse };
}
const on = (connections: number) => ({ network: { interfaces: ["lo", "eth0"], connections, missing } });

test("network watching: it tells its interfaces, what is missing, and how many connections began", async () => {
  const { watching, opened, events } = played();
  assert.deepStrictEqual(watching.state, {});
  assert.deepStrictEqual(await watching.open(), {});
  assert.deepStrictEqual(watching.state, on(0));
  for (const event of [hello(), hello({ id: "n2" }), connectionEnd()]) opened[0]?.onEvent(event);
  assert.deepStrictEqual([watching.state, events.length], [on(2), 3]);
  watching.clear();
  assert.deepStrictEqual(watching.state, on(0));
});

test("network watching: every interface that is up is asked for, once", async () => {
  const { watching, opened } = played();
  await watching.open();
  await watching.open();
  assert.deepStrictEqual(
    opened.map(({ interfaces }) => interfaces),
    [null],
  );
});

test("network watching: what is open at its end is told, and the next begins anew", async () => {
  const { watching, opened, events, counts } = played();
  await watching.open();
  opened[0]?.onEvent(hello());
  await watching.close();
  await watching.close();
  assert.deepStrictEqual([watching.state, counts.closed], [{}, 1]);
  assert.deepStrictEqual(
    events.map(({ type }) => type),
    ["hello", "connection"],
  );
  await watching.open();
  assert.deepStrictEqual([watching.state, opened.length], [on(0), 2]);
});

test("network watching: what stands in the way is told until it is gone or no longer wanted", async () => {
  const { watching, refuse } = played();
  refuse(noRights);
  assert.deepStrictEqual(await watching.open(), { problem: noRights });
  assert.deepStrictEqual(watching.state, { networkProblem: noRights });
  await watching.close();
  assert.deepStrictEqual(watching.state, {});
  await watching.open();
  refuse(null);
  assert.deepStrictEqual(await watching.open(), {});
  assert.deepStrictEqual(watching.state, on(0));
});

test("network watching: an end that nobody asked for is a problem, and it can be opened again", async () => {
  const { watching, opened, counts } = played();
  await watching.open();
  const problem = { code: "tracer-ended", text: "the tracer exited", remedy: "start again" };
  opened[0]?.onEnded(problem);
  assert.deepStrictEqual([watching.state, counts], [{ networkProblem: problem }, { closed: 1, ended: 1 }]);
  await watching.open();
  assert.deepStrictEqual(watching.state, on(0));
});
