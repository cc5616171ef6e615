import assert from "node:assert/strict";
import { test } from "node:test";
import {
  figureText,
  serviceFigure,
  serviceReport,
  serviceSentence,
} from "../../src/extension/workspace-service.ts";
import { coverageReport, inPart, noTls, processReport } from "./process-fixture.ts";

const shop = processReport({ pid: 1 });
const inShop = { workingDirectory: "/srv/shop", arguments: ["x"], executable: "/opt/x" };
const dark = processReport({ pid: 2, ...inShop, verdict: "dark", probes: [] });
const half = processReport({ ...inPart, pid: 7, ...inShop });
const shell = processReport({ ...noTls, pid: 3, workingDirectory: "/srv/shop" });
const stranger = processReport({ pid: 4, arguments: ["node", "/opt/other.js"] });
const debuggee = processReport({ pid: 5, arguments: ["node", "/opt/debugged.js"] });
const skipped = [4, 5].map((pid) => ({ pid, reason: { code: "exited", text: "it ended" } }));
const languageServer = processReport({ pid: 6, ...inShop, arguments: ["node", "/opt/editor/json.js"] });
const all = coverageReport([shop, dark, shell, stranger, debuggee, languageServer], skipped);
const facts = {
  folders: ["/srv/shop"],
  debuggedPids: new Set([5]),
  editorFolders: ["/opt/editor", "/home/ann/extensions"],
};

test("workspace service: what runs a program of the workspace, or in it, or is debugged", () => {
  const { processes, skipped: left } = serviceReport(all, facts);
  assert.deepStrictEqual([processes.map(({ pid }) => pid), left.map(({ pid }) => pid)], [[1, 2, 3, 5], [5]]);
});

test("workspace service: the figure counts processes with TLS alone", () => {
  const figure = serviceFigure(serviceReport(all, facts));
  assert.deepStrictEqual(figure, { withTls: 3, traceable: 2, inPart: 0 });
  assert.equal(figureText(figure)?.text, "$(shield) TLS 2/3");
  assert.match(figureText(figure)?.accessibleLabel ?? "", /2 of 3 processes with TLS can be traced/);
  assert.match(figureText({ ...figure, inPart: 1 })?.tooltip ?? "", /2 of 3 .* can be traced, 1 in part\./);
  assert.equal(figureText({ withTls: 0, traceable: 0, inPart: 0 }), null);
});

for (const [processes, folders, sentence] of [
  [[shop, dark], ["/srv/shop"], "shop: 2 processes with TLS, 1 can be traced"],
  [[shop], ["/srv/shop"], "shop: 1 process with TLS, it can be traced"],
  [[shop, debuggee], ["/srv/shop", "/srv/web"], "shop, web: 2 processes with TLS, all can be traced"],
  [[shop, half, dark], ["/srv/shop"], "shop: 3 processes with TLS, 1 can be traced, 1 in part"],
  [[half], ["/srv/shop"], "shop: 1 process with TLS, a part of it can be traced"],
  [[dark], ["/srv/shop"], "shop: 1 process with TLS, none can be traced"],
  [[debuggee], [], "the debugged program: 1 process with TLS, it can be traced"],
  [[shell], ["/srv/shop"], "shop: no TLS in its process yet; look again once it has spoken"],
  [[], ["/srv/shop"], ""],
] as const) {
  test(`workspace service: says “${sentence}”`, () => {
    assert.equal(serviceSentence(coverageReport([...processes]), folders), sentence);
  });
}
