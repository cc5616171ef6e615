import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentRows } from "../../src/extension/recent-rows.ts";
import { rowOf } from "../../src/analyzer/server/traffic-rows.ts";
import { exchange } from "../analyzer/server/traffic-fixtures.ts";

const row = (id: string, durationMs = 1) => rowOf(exchange(id, { durationMs }));

test("recent rows: the oldest leave, what was dropped adds up, and clearing forgets both", () => {
  const recent = new RecentRows(2);
  recent.add({ rows: [row("a"), row("b")], dropped: 3 });
  recent.add({ rows: [row("c")], dropped: 4 });
  const before = { rows: recent.rows, dropped: recent.dropped };
  recent.clear();
  assert.deepStrictEqual(
    [before, { rows: recent.rows, dropped: recent.dropped }],
    [
      { rows: [row("b"), row("c")], dropped: 7 },
      { rows: [], dropped: 0 },
    ],
  );
});

test("recent rows: a row that comes again keeps its place and shows its last state", () => {
  const recent = new RecentRows(5);
  recent.add({ rows: [row("a", 1), row("b", 1)], dropped: 0 });
  recent.add({ rows: [row("a", 2)], dropped: 0 });
  assert.deepStrictEqual(recent.rows, [row("a", 2), row("b", 1)]);
});
