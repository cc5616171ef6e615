// `plainsight block`, as a person types it: what is listed is refused at once, on either end of a connection, and what is
// not goes on; when it has ended, however it ended, so does everything.
import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import {
  block as vector,
  clientHello,
  largeHello,
  nameFirstHello,
  records,
  serverName,
  type Extension,
} from "../analyzer/network/hello/hellos.ts";
import { block } from "./block-run.ts";
import {
  addresses,
  openCable,
  openNamespace,
  startCounting,
  type CountingServer,
  type Namespace,
} from "./network-rig.ts";
import { fixtures, gone, makeCertificate, skipReason, tracerOf } from "./rig.ts";

const skip = skipReason("ip", "unshare", "nsenter", "python3", "openssl");

const list = `# what nobody here needs
exact.example.com

*.suffix.example   # and all below it
not a name
Upper.Example.NET
http://url.example/
`;

interface Rig {
  near: Namespace;
  far: Namespace;
  server: CountingServer;
}

async function openRig(t: TestContext): Promise<Rig> {
  const { near, far } = await openCable(t);
  return { near, far, server: await startCounting(far, makeCertificate(t)) };
}

/** What a client that says a hello with this name meets: its outcome, and whether that came at once. */
async function say(
  { near, server }: Rig,
  name: string,
  {
    address = addresses.far.ipv4,
    cuts = [] as number[],
    recordBytes = 2 ** 14,
    make = (server: string) => largeHello(server),
    pieces: count = Infinity,
  } = {},
) {
  const hello = records(make(name), recordBytes);
  const pieces = [0, ...cuts]
    .map((from, index) => hello.subarray(from, cuts[index]).toString("hex"))
    .slice(0, count);
  const output = near.run(
    "/usr/bin/python3",
    join(fixtures, "say-pieces.py"),
    address,
    server.port,
    ...pieces,
  );
  const [outcome = "", milliseconds = ""] = output.trim().split(" ");
  const { received } = await server.next();
  return { outcome, isSoon: Number(milliseconds) < 2000, isWhole: received === hello.length };
}

const manyExtensions = (name: string) =>
  clientHello({
    extensions: [
      ...Array.from({ length: 70 }, (_, i): Extension => [0x7000 + i, Buffer.of(i)]),
      serverName(name),
    ],
  });

/** RFC 6066, 3: names of kinds that nobody has defined may stand before that of a host. */
const anotherKind = (name: string) => {
  const [id, list] = serverName(name);
  const other = Buffer.concat([Buffer.of(7), vector(2, Buffer.from("another.kind"))]);
  return clientHello({ extensions: [[id, vector(2, Buffer.concat([other, list.subarray(2)]))]] });
};

const untouched = { outcome: "closed", isSoon: true, isWhole: true };

const twenty = Array.from({ length: 19 }, (_, i) => (i + 1) * 60);

const cases: [what: string, name: string, options: Parameters<typeof say>[2], rule: string | null][] = [
  ["a listed name", "exact.example.com", {}, "exact.example.com"],
  ["a listed name in capitals", "EXACT.Example.COM", {}, "exact.example.com"],
  ["a name that was listed in capitals", "upper.example.net", {}, "upper.example.net"],
  ["a listed name with the root's dot", "exact.example.com.", {}, "exact.example.com"],
  ["a listed name in capitals with two dots", "EXACT.example.com..", {}, "exact.example.com"],
  ["a name below a suffix, with the root's dot", "A.Suffix.Example.", {}, "*.suffix.example"],
  [
    "a name behind more extensions than any client sends",
    "exact.example.com",
    { make: manyExtensions },
    "exact.example.com",
  ],
  ["a name behind one of another kind", "exact.example.com", { make: anotherKind }, "exact.example.com"],
  ["another name with the root's dot", "other.example.com.", {}, null],
  ["another name behind many extensions", "other.example.com", { make: manyExtensions }, null],
  ["a name below a suffix", "a.suffix.example", {}, "*.suffix.example"],
  ["a name far below a suffix", "a.b.c.suffix.example", {}, "*.suffix.example"],
  ["over IPv6", "exact.example.com", { address: addresses.far.ipv6 }, "exact.example.com"],
  ["a name in the second segment", "exact.example.com", { cuts: [600] }, "exact.example.com"],
  ["a name that is cut in two", "a.suffix.example", { cuts: [600, 1330] }, "*.suffix.example"],
  ["a hello that begins with one byte", "exact.example.com", { cuts: [1] }, "exact.example.com"],
  ["a name in the last of twenty segments", "exact.example.com", { cuts: twenty }, "exact.example.com"],
  ["a hello in five TLS records", "exact.example.com", { recordBytes: 300 }, "exact.example.com"],
  [
    "a hello in five TLS records and three segments",
    "exact.example.com",
    { recordBytes: 300, cuts: [301, 1200] },
    "exact.example.com",
  ],
  ["a name before a cut", "exact.example.com", { make: nameFirstHello, cuts: [600] }, "exact.example.com"],
  [
    "a name before a cut, over IPv6",
    "a.suffix.example",
    { make: nameFirstHello, cuts: [600], address: addresses.far.ipv6 },
    "*.suffix.example",
  ],
  [
    "a name in the first of many segments",
    "exact.example.com",
    { make: nameFirstHello, cuts: [200, 400, 600, 800, 1000, 1200] },
    "exact.example.com",
  ],
  [
    "a name in the first segment of a hello whose rest is not said",
    "exact.example.com",
    { make: nameFirstHello, cuts: [600], pieces: 1 },
    "exact.example.com",
  ],
  [
    "a name in the first of five TLS records",
    "exact.example.com",
    { make: nameFirstHello, recordBytes: 300, cuts: [301] },
    "exact.example.com",
  ],
  ["what is no name below a suffix", "a b.suffix.example", { make: nameFirstHello }, "*.suffix.example"],
  ["another name before a cut", "other.example.com", { make: nameFirstHello, cuts: [600] }, null],
  ["the suffix itself", "suffix.example", {}, null],
  ["a name that only ends like a suffix", "asuffix.example", {}, null],
  ["a name below a listed one", "www.exact.example.com", {}, null],
  ["a name that a listed one begins", "exact.example.com.org", {}, null],
  ["another name", "other.example.com", {}, null],
  ["another name in the second segment", "other.example.com", { cuts: [600] }, null],
  ["another name, in twenty segments", "other.example.com", { cuts: twenty }, null],
  ["another name, in five TLS records", "other.example.com", { recordBytes: 300 }, null],
];

for (const [whose, errors] of [
  ["a client's", ["ConnectionAbortedError", "ConnectionResetError"]],
  ["a remote client's", ["ConnectionResetError"]],
] as const) {
  const isClient = whose === "a client's";
  test(`block: ${whose} connections`, { skip, timeout: 90_000 }, async (t) => {
    const rig = await openRig(t);
    const blocking = await block(t, isClient ? rig.near : rig.far, list);
    let refused = 0;
    for (const [what, name, options, rule] of cases) {
      await t.test(`block: ${whose} connection, ${what}`, async () => {
        const { outcome, isSoon, isWhole } = await say(rig, name, options);
        if (rule === null) {
          assert.deepStrictEqual({ outcome, isSoon, isWhole }, untouched);
          return;
        }
        assert.ok((errors as readonly string[]).includes(outcome), outcome);
        assert.deepStrictEqual({ isSoon, isWhole }, { isSoon: true, isWhole: false });
        const event = (await blocking.blocked(++refused)).at(-1);
        assert.deepStrictEqual(
          { ...event, id: "", at: "", pid: 0, command: "", connection: "" },
          {
            ...{ type: "blocked", id: "", at: "", pid: 0, command: "", connection: "" },
            direction: isClient ? "out" : "in",
            interface: isClient ? "pn0" : "pf0",
            serverName: name.replace(" ", "?"),
            rule,
          },
        );
        if (isClient) assert.equal(event?.command, "python3");
      });
    }
    assert.equal((await blocking.blocked(refused)).length, refused);
    process.kill(blocking.pid, "SIGINT");
    assert.equal(await blocking.ended, 0);
  });
}

test("block: over loopback, in segments of any size", { skip, timeout: 60_000 }, async (t) => {
  const near = await openNamespace(t);
  const rig = { near, far: near, server: await startCounting(near, makeCertificate(t)) };
  const blocking = await block(t, near, list);
  let refused = 0;
  for (const address of ["127.0.0.1", "::1"]) {
    for (const make of [nameFirstHello, (name: string) => largeHello(name)]) {
      for (const bytes of [200, 300, 400, 1400]) {
        const cuts = Array.from({ length: Math.floor(1390 / bytes) }, (_, i) => (i + 1) * bytes);
        const { outcome, isSoon, isWhole } = await say(rig, "exact.example.com", { address, make, cuts });
        const what = `${address}, ${make.name}, ${bytes} bytes: ${outcome}`;
        assert.ok(["ConnectionAbortedError", "ConnectionResetError"].includes(outcome), what);
        assert.deepStrictEqual({ isSoon, isWhole }, { isSoon: true, isWhole: false }, what);
        const events = await blocking.blocked(++refused);
        assert.deepStrictEqual([events.length, events.at(-1)?.direction], [refused, "out"], what);
        const other = { address, make, cuts };
        assert.deepStrictEqual(await say(rig, "other.example.com", other), untouched, what);
      }
    }
  }
});

test(
  "block: a list with errors is used but for these, and read again when it changes",
  { skip },
  async (t) => {
    const rig = await openRig(t);
    const blocking = await block(t, rig.near, list);
    const complaints = blocking.said().match(/: line \d: .* is neither a name nor \*\.suffix$/gm);
    assert.deepStrictEqual(complaints, [
      ': line 5: "not a name" is neither a name nor *.suffix',
      ': line 7: "http://url.example/" is neither a name nor *.suffix',
    ]);
    const outcomes = async () =>
      [await say(rig, "exact.example.com"), await say(rig, "later.example.com")].map(
        ({ isWhole }) => isWhole,
      );
    assert.deepStrictEqual(await outcomes(), [false, true]);
    writeFileSync(blocking.file, "later.example.com\n");
    await blocking.hears(/^refusing later\.example\.com now$/m);
    assert.deepStrictEqual(await outcomes(), [true, false]);
    writeFileSync(blocking.file, "");
    await blocking.hears(/^refusing nothing now$/m);
    assert.deepStrictEqual(await outcomes(), [true, true]);
    writeFileSync(blocking.file, "later.example.com\n");
    await blocking.hears(/^refusing later\.example\.com now[^]*^refusing later\.example\.com now$/m);
    writeFileSync(blocking.file, "http://nothing.of.use/\nexact example\n");
    await blocking.hears(/names\.txt names no server; what was refused before still is$/m);
    assert.deepStrictEqual(await outcomes(), [true, false]);
    rmSync(blocking.file);
    await blocking.hears(/ENOENT.*; what was refused before still is$/m);
  },
);

test("block: a list behind links is read again when any of them leads elsewhere", { skip }, async (t) => {
  const near = await openNamespace(t);
  const blocking = await block(t, near, "first.example.com\n");
  const folder = dirname(blocking.file);
  const put = (version: string, text: string) => {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, "list"), text);
    symlinkSync(version, join(folder, "next"));
    renameSync(join(folder, "next"), join(folder, "current"));
  };
  put("one", "second.example.com\n");
  rmSync(blocking.file);
  symlinkSync("current/list", blocking.file);
  await blocking.hears(/^refusing second\.example\.com now$/m);
  put("two", "third.example.com\n");
  await blocking.hears(/^refusing third\.example\.com now$/m);
  writeFileSync(join(folder, "two/list"), "fourth.example.com\n");
  await blocking.hears(/^refusing fourth\.example\.com now$/m);
  // As editors save.
  writeFileSync(join(folder, "two/.list"), "fifth.example.com\n");
  renameSync(join(folder, "two/.list"), join(folder, "two/list"));
  await blocking.hears(/^refusing fifth\.example\.com now$/m);
});

test(
  "block: when it has ended, however it ended, connections go on",
  { skip, timeout: 60_000 },
  async (t) => {
    const rig = await openRig(t);
    for (const how of ["SIGINT", "SIGTERM", "SIGKILL", "tracer", "duration"] as const) {
      const more = how === "duration" ? ["--duration", "2s"] : [];
      const blocking = await block(t, rig.near, list, ...more);
      const tracer = tracerOf(blocking.pid);
      assert.equal((await say(rig, "exact.example.com")).isWhole, false, how);
      if (how === "tracer") process.kill(tracer, "SIGKILL");
      else if (how !== "duration") process.kill(blocking.pid, how);
      const status = await blocking.ended;
      assert.equal(status, how === "SIGKILL" ? null : how === "tracer" ? 3 : 0, `${how}: ${blocking.said()}`);
      await gone(tracer);
      assert.deepStrictEqual(await say(rig, "exact.example.com"), untouched, how);
    }
  },
);
