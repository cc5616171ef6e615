import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { validCall } from "../../src/tracer/validate.ts";

const point = {
  function: "SSL_read",
  role: "read",
  site: "entry",
  fileOffset: 4096,
  frameBias: 0,
  expectedBytes: "4883ec18",
};
const plan = {
  pid: 42,
  path: "/usr/lib/libssl.so.3",
  range: "7f00-7f10",
  inode: 7,
  file: 3,
  scope: "process",
  points: [point],
};

const anyPlace = { ingress: null, egress: null, withTracer: false };

const good: object[] = [
  { type: "open", ringBytes: 4096, features: {} },
  { type: "open", ringBytes: 2 ** 24, features: { sleepable: false, uprobeMulti: true } },
  { type: "trace", pids: [1, 4_194_304], followChildren: true },
  { type: "trace", pids: [1], followChildren: true, proxied: "always" },
  { type: "trace", pids: [1], followChildren: false, proxied: "program" },
  { type: "untrace", pids: [] },
  { type: "attach", plan },
  { type: "attach", plan: { ...plan, range: null, scope: "file" } },
  { type: "attach", plan: { ...plan, points: [{ ...point, site: "return", frameBias: -8 }] } },
  { type: "detach", attachments: [1, 2] },
  { type: "watch", everyExec: true },
  { type: "redirect", pid: 7, port: 65_535, ipv6: false, holds: true },
  { type: "release", pid: 7, executable: "/usr/bin/node" },
  { type: "redirected", family: "ipv6", port: 1 },
  {
    type: "serve",
    port: 443,
    ipv6: true,
    ownPorts: true,
    pid: 7,
    descriptors: { ipv4: 20, ipv6: 21 },
  },
  {
    type: "serve",
    port: 443,
    ipv6: false,
    ownPorts: false,
    pid: 7,
    descriptors: { ipv4: 20, ipv6: null },
  },
  { type: "watch-network", interfaces: ["lo", "eth0.7"], places: anyPlace },
  {
    type: "watch-network",
    interfaces: ["x".repeat(15)],
    places: { ingress: "xdp-generic", egress: "clsact-egress", withTracer: true },
  },
  { type: "tell-open" },
  { type: "tell-idle", idleMs: 60_000 },
  { type: "block", names: [] },
  { type: "block", names: ["api.example.com", "*.example.com", "_tls.example", "xn--bcher-kva.example"] },
  { type: "judge", ends: "0f".repeat(40), start: 2 ** 32 - 1, blocked: true },
  { type: "reset-blocked" },
  { type: "flush" },
];
for (const request of good) {
  test(`validate: takes ${JSON.stringify(request).slice(0, 90)}`, () => {
    assert.deepStrictEqual(validCall({ id: 1, request }), { id: 1, request });
  });
}

const withPoint = (change: object) => ({
  type: "attach",
  plan: { ...plan, points: [{ ...point, ...change }] },
});
const withPlan = (change: object) => ({ type: "attach", plan: { ...plan, ...change } });

const withNetwork = (change: object) => ({
  type: "watch-network",
  interfaces: ["lo"],
  places: anyPlace,
  ...change,
});

const bad: [name: string, request: unknown][] = [
  ["no request", undefined],
  ["a list", []],
  ["no type", {}],
  ["an unknown type", { type: "run", command: "sh" }],
  ["a type of Object's own", { type: "toString" }],
  ["__proto__ as a type", { type: "__proto__" }],
  ["a ring that is no power of two", { type: "open", ringBytes: 5000, features: {} }],
  ["a ring below a page", { type: "open", ringBytes: 2048, features: {} }],
  ["a ring above a gigabyte", { type: "open", ringBytes: 2 ** 31, features: {} }],
  ["a ring as text", { type: "open", ringBytes: "4096", features: {} }],
  ["no features", { type: "open", ringBytes: 4096 }],
  ["a feature that is no truth value", { type: "open", ringBytes: 4096, features: { sleepable: 1 } }],
  ["a proxy's port that is none", { type: "redirect", pid: 7, port: 0, ipv6: true, holds: false }],
  ["a redirection that does not say whether it holds", { type: "redirect", pid: 7, port: 1, ipv6: true }],
  ["a proxy that is no process", { type: "redirect", pid: 0, port: 1, ipv6: true, holds: false }],
  ["a release of a program without a path", { type: "release", pid: 7, executable: "node" }],
  ["a release of every program", { type: "release", pid: 7, executable: "" }],
  ["a port above the highest", { type: "redirected", family: "ipv4", port: 65_536 }],
  ["an address cut short", { type: "direct", original: "c0000201", milliseconds: 5000 }],
  ["direct for ever", { type: "direct", original: "0".repeat(56), milliseconds: 2 ** 31 }],
  ["no sockets", { type: "serve", port: 1, ipv6: true, ownPorts: true, pid: 7, descriptors: {} }],
  ["a family of another kind", { type: "redirected", family: "unix", port: 1 }],
  ["pids that are no list", { type: "trace", pids: 1, followChildren: true }],
  ["pid 0, which means every process", { type: "trace", pids: [0], followChildren: true }],
  ["a pid below 0", { type: "untrace", pids: [-1] }],
  ["a pid with a fraction", { type: "untrace", pids: [1.5] }],
  ["a pid of 33 bits", { type: "untrace", pids: [2 ** 32] }],
  ["a proxied process of no known kind", { type: "trace", pids: [1], followChildren: true, proxied: true }],
  ["a trace that does not say whether children follow", { type: "trace", pids: [1] }],
  ["no plan", { type: "attach" }],
  ["a plan for pid 0", withPlan({ pid: 0 })],
  ["a relative path", withPlan({ path: "libssl.so.3" })],
  ["a path with a zero byte", withPlan({ path: "/lib\0ssl" })],
  ["a range that leaves its folder", withPlan({ range: "../../1/root" })],
  ["a range in capitals", withPlan({ range: "7F00-7F10" })],
  ["no range at all", withPlan({ range: undefined })],
  ["an inode as text", withPlan({ inode: "7" })],
  ["an unknown scope", withPlan({ scope: "host" })],
  ["no points", withPlan({ points: [] })],
  ["more points than any plan has", withPlan({ points: Array.from({ length: 4097 }, () => point) })],
  ["an unknown role", withPoint({ role: "kill" })],
  ["a role of Object's own", withPoint({ role: "constructor" })],
  ["an unknown site", withPoint({ site: "middle" })],
  ["an offset below 0", withPoint({ fileOffset: -1 })],
  ["an offset that is not exact", withPoint({ fileOffset: 2 ** 60 })],
  ["a frame far away", withPoint({ frameBias: 2 ** 21 })],
  ["a frame that is no number", withPoint({ frameBias: NaN })],
  ["no bytes to compare", withPoint({ expectedBytes: "" })],
  ["half a byte", withPoint({ expectedBytes: "488" })],
  ["bytes that are not hex", withPoint({ expectedBytes: "zz" })],
  ["attachments that are no numbers", { type: "detach", attachments: ["1"] }],
  ["a watch that says nothing", { type: "watch" }],
  ["no interfaces", withNetwork({ interfaces: [] })],
  ["interfaces that are no list", withNetwork({ interfaces: "lo" })],
  [
    "more interfaces than any host has",
    withNetwork({ interfaces: Array.from({ length: 4097 }, () => "lo") }),
  ],
  ["an interface without a name", withNetwork({ interfaces: [""] })],
  ["an interface's name of 16 bytes", withNetwork({ interfaces: ["x".repeat(16)] })],
  ["no places", withNetwork({ places: undefined })],
  ["places that are not all said", withNetwork({ places: { ingress: null, egress: null } })],
  ["a place on the other side", withNetwork({ places: { ...anyPlace, egress: "tcx-ingress" } })],
  ["XDP for what goes out", withNetwork({ places: { ...anyPlace, egress: "xdp-native" } })],
  ["an unknown place", withNetwork({ places: { ...anyPlace, ingress: "xdp-offload" } })],
  ["a silence of no length", { type: "tell-idle", idleMs: 0 }],
  ["a silence that is no number", { type: "tell-idle", idleMs: "1000" }],
  ["names that are no list", { type: "block", names: "example.com" }],
  ["a name in capitals", { type: "block", names: ["Example.com"] }],
  ["a star within a name", { type: "block", names: ["a.*.example"] }],
  ["a star alone", { type: "block", names: ["*"] }],
  ["a name with a zero byte", { type: "block", names: ["a\0b"] }],
  ["a name of 256 bytes", { type: "block", names: ["a".repeat(256)] }],
  ["a name that is a number", { type: "block", names: [1] }],
  ["ends cut short", { type: "judge", ends: "0f".repeat(39), start: 1, blocked: true }],
  ["a start of 33 bits", { type: "judge", ends: "0f".repeat(40), start: 2 ** 32, blocked: true }],
  ["a verdict that is none", { type: "judge", ends: "0f".repeat(40), start: 1, blocked: "held" }],
];
for (const [name, request] of bad) {
  test(`validate: refuses ${name}`, () => {
    assert.equal(validCall({ id: 1, request }), null);
  });
}

test("validate: refuses a request without a number of its own", () => {
  for (const id of [undefined, -1, 1.5, "1", null])
    assert.equal(validCall({ id, request: { type: "flush" } }), null);
});

test("validate: never throws, whatever JSON comes", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(validCall(value), null);
      assert.equal(validCall({ id: 1, request: value }), null);
      validCall({ id: 1, request: { type: "attach", plan: value } });
    }),
  );
});
