import assert from "node:assert/strict";
import { test } from "node:test";
import type { NetworkRecord } from "../../../src/analyzer/capture/network-records.ts";
import type { NetworkEvent } from "../../../src/analyzer/network/hello-events.ts";
import { HelloFold } from "../../../src/analyzer/network/hello-fold.ts";
import { largeHello, nameFirstHello, records } from "./hello/hellos.ts";
import { crypto, initial } from "./hello/quic-client.ts";

type Part = Extract<NetworkRecord, { type: "hello-part" }>;
type Lifetime = Exclude<NetworkRecord, Part>;

const stream = records(largeHello("api.example.com"));
const nameFirst = records(nameFirstHello("api.example.com"));
const client = { transport: "tcp", local: "10.0.0.1:40000", remote: "10.0.0.2:443" } as const;
const server = { transport: "tcp", local: client.remote, remote: client.local } as const;

/** Milliseconds since the epoch as the kernel's clock says them; the trace began at 1,000,000. */
const at = (ms: number) => BigInt(ms) * 1_000_000n;
const clock = { monotonicMs: 0, epochMs: 1_000_000 };

const part = (change: Partial<Part> = {}): Part => ({
  type: "hello-part",
  ends: client,
  socket: "a1",
  owner: 7,
  command: "curl",
  interfaceIndex: 2,
  direction: "out",
  verdict: "none",
  rawEnds: "00ff",
  start: 1000,
  offset: 0,
  payload: stream,
  monotonicNs: at(10),
  ...change,
});
const come = (change: Partial<Part> = {}) =>
  part({ ends: server, direction: "in", socket: "b1", owner: null, command: "", ...change });

const nobody = { socket: null, owner: null, command: "" };

const lifetime = (type: Lifetime["type"], change: Partial<Lifetime> = {}): Lifetime => ({
  type,
  ends: client,
  socket: "a1",
  owner: 7,
  command: "curl",
  establishedNs: at(5),
  bytesOut: 300,
  bytesIn: 4000,
  said: "data",
  monotonicNs: at(105),
  ...change,
});

interface Rig {
  fold: HelloFold;
  judged: unknown[];
  asked: string[];
}

interface Setting {
  rules?: string[];
  owner?: number | null;
  unwanted?: (number | null)[];
}

function openFold({ rules = [], owner = null, unwanted = [] }: Setting = {}): Rig {
  const [judged, asked]: [unknown[], string[]] = [[], []];
  const fold = new HelloFold({
    clock,
    idPrefix: "t-",
    interfaceName: (index) => `eth${index}`,
    commandOf: (pid, thread) => `${thread}:${pid}`,
    ownerOf: ({ local }) => {
      asked.push(local);
      return owner;
    },
    wants: ({ pid }) => !unwanted.includes(pid),
    isBlocking: () => rules.length > 0,
    ruleFor: (name) => (rules.includes(name) ? name : null),
    judge: (...what) => {
      judged.push(what);
    },
  });
  return { fold, judged, asked };
}

/** What of an event differs from case to case. */
const shown = (event: NetworkEvent): string => {
  const { type, id, pid, connection } = event;
  const whose = `${pid} ${connection.role}`;
  if (type === "connection")
    return `${id} ${event.state} ${whose} ${event.bytesOut} ${event.bytesIn} ${event.durationMs}`;
  const says = type === "hello" ? (event.problem?.code ?? event.serverName) : `blocked by ${event.rule}`;
  return `${id} ${event.direction} ${whose} ${says}`;
};
const fold = ({ fold }: Rig, ...given: NetworkRecord[]) => given.flatMap((one) => fold.fold(one)).map(shown);
const released = ({ fold }: Rig, nowMs: number) =>
  fold.release(1_000_000 + nowMs - 100, 1_000_000 + nowMs).map(shown);
const atEnd = ({ fold }: Rig, nowMs = 205) => fold.end(1_000_000 + nowMs).map(shown);

test("hello fold: all that a hello and its connection say", () => {
  const { fold } = openFold();
  const [hello] = fold.fold(part());
  assert.ok(hello?.type === "hello");
  const { ja3, ja4, ...rest } = hello;
  const common = { id: "t-1", pid: 7, command: "curl:7" };
  const connection = {
    id: "t-1",
    role: "client",
    local: client.local,
    remote: client.remote,
    serverName: "api.example.com",
  };
  assert.deepStrictEqual(rest, {
    type: "hello",
    ...common,
    at: "1970-01-01T00:16:40.010Z",
    direction: "out",
    connection,
    transport: "tcp",
    interface: "eth2",
    serverName: "api.example.com",
    alpn: ["h2", "http/1.1"],
    versions: ["1.3", "1.2"],
    encryptedClientHello: false,
  });
  assert.match(`${ja3} ${ja4}`, /^[0-9a-f]{32} t13d0104h2_/);
  assert.deepStrictEqual(fold.fold(lifetime("closed")), [
    {
      type: "connection",
      ...common,
      connection,
      state: "closed",
      bytesOut: 300,
      bytesIn: 4000,
      carriedData: true,
      startedAt: "1970-01-01T00:16:40.005Z",
      durationMs: 100,
    },
  ]);
  assert.deepStrictEqual(fold.end(2_000_000), []);
});

test("hello fold: a server's hello waits for who reads it", () => {
  const rig = openFold();
  assert.deepStrictEqual(fold(rig, come()), []);
  assert.ok(rig.fold.holds);
  assert.deepStrictEqual(fold(rig, lifetime("owner", { ends: server, socket: "b1", owner: 9 })), [
    "t-1 in 9 server api.example.com",
  ]);
  assert.ok(!rig.fold.holds);
  const again = lifetime("owner", { ends: server, socket: "b1", owner: 10 });
  assert.deepStrictEqual(fold(rig, again), []);
  assert.deepStrictEqual(rig.asked, []);
});

test("hello fold: one that nobody reads is told after a while, with whom the host's tables name", () => {
  const rig = openFold({ owner: 12 });
  assert.deepStrictEqual([fold(rig, come()), released(rig, 100)], [[], []]);
  assert.deepStrictEqual(released(rig, 120), ["t-1 in 12 server api.example.com"]);
  assert.deepStrictEqual(rig.asked, [server.local]);
  // Nobody: told all the same.
  const other = openFold();
  assert.deepStrictEqual(
    [fold(other, come()), released(other, 120)],
    [[], ["t-1 in null server api.example.com"]],
  );
});

test("hello fold: a connection that closes before anybody read it is told with its end", () => {
  const rig = openFold();
  const closed = lifetime("closed", { ends: server, socket: "b1", owner: null });
  assert.deepStrictEqual(fold(rig, come(), closed), [
    "t-1 in null server api.example.com",
    "t-1 closed null server 300 4000 100",
  ]);
  const read = openFold();
  const byNine = { ends: server, socket: "b1", owner: 9 };
  assert.deepStrictEqual(fold(read, come(), lifetime("closed", byNine), lifetime("owner", byNine)), [
    "t-1 in 9 server api.example.com",
    "t-1 closed 9 server 300 4000 100",
  ]);
});

test("hello fold: both ends on this host are two, each with its own", () => {
  const rig = openFold();
  const told = fold(
    rig,
    part(),
    come(),
    lifetime("owner", { ends: server, socket: "b1", owner: 9 }),
    lifetime("closed"),
    lifetime("closed", { ends: server, socket: "b1", owner: 9, bytesOut: 4000, bytesIn: 300 }),
  );
  assert.deepStrictEqual(told, [
    "t-1 out 7 client api.example.com",
    "t-2 in 9 server api.example.com",
    "t-1 closed 7 client 300 4000 100",
    "t-2 closed 9 server 4000 300 100",
  ]);
});

test("hello fold: a hello in parts, retransmitted, or on two interfaces is told once", () => {
  const rig = openFold();
  const [first, second] = [
    part({ payload: stream.subarray(0, 900) }),
    part({ offset: 900, payload: stream.subarray(900) }),
  ];
  assert.deepStrictEqual(fold(rig, first, first, part({ ...second, interfaceIndex: 3 }), second, first), [
    "t-1 out 7 client api.example.com",
  ]);
});

test("hello fold: what passes through this host is one, though it comes in and goes out", () => {
  const rig = openFold();
  assert.deepStrictEqual(fold(rig, come(nobody), part({ ...nobody, interfaceIndex: 3 })), []);
  assert.deepStrictEqual(released(rig, 120), ["t-1 in null null api.example.com"]);
  assert.deepStrictEqual(atEnd(rig), []);
});

test("hello fold: the same ends again are another connection", () => {
  const rig = openFold();
  const next = { socket: "a2", start: 5000 };
  const told = fold(
    rig,
    part(),
    lifetime("closed"),
    part(next),
    lifetime("closed"),
    lifetime("closed", next),
  );
  assert.deepStrictEqual(told, [
    "t-1 out 7 client api.example.com",
    "t-1 closed 7 client 300 4000 100",
    "t-2 out 7 client api.example.com",
    // The other socket's end is not this one's.
    "t-2 closed 7 client 300 4000 100",
  ]);
});

/** What a client says when it is asked for another hello. */
const second = { start: 1000 + stream.length, monotonicNs: at(12) };

for (const [what, given, told] of [
  ["a client that is asked for a second", [part(), part(second)], ["t-1 out 7 client api.example.com"]],
  [
    "a server whose socket is not there for the first",
    [come({ ...nobody, owner: 9 }), come({ ...second, owner: 9 })],
    ["t-1 in 9 server api.example.com"],
  ],
  [
    "one that upgrades long after",
    [part(), part({ start: 3_000_000_000 })],
    ["t-1 out 7 client api.example.com"],
  ],
] as const) {
  test(`hello fold: a connection has one hello: ${what}`, () => {
    const rig = openFold();
    const [{ ends, socket }] = [given[1]];
    const closed = lifetime("closed", { ends, socket: socket ?? "", owner: null });
    assert.deepStrictEqual(fold(rig, ...given), told);
    assert.equal(fold(rig, closed).length, 1);
    assert.deepStrictEqual(atEnd(rig), []);
  });
}

test("hello fold: a connection that passes has one hello, too, and the same ends later another", () => {
  const rig = openFold();
  const out = { ...nobody, interfaceIndex: 3 };
  assert.deepStrictEqual(
    fold(rig, come(nobody), part(out), come({ ...nobody, ...second }), part({ ...out, ...second })),
    [],
  );
  assert.deepStrictEqual(released(rig, 120), ["t-1 in null null api.example.com"]);
  const later = { start: 900, monotonicNs: at(130) };
  assert.deepStrictEqual(fold(rig, come({ ...nobody, ...later }), part({ ...out, ...later })), []);
  const told = released(rig, 240);
  assert.deepStrictEqual([told.length, told[0]?.replace(/t-\d+/, "")], [1, " in null null api.example.com"]);
});

test("hello fold: a second hello with a refused name refuses its connection", () => {
  const rig = openFold({ rules: ["api.example.com"] });
  const innocent = records(largeHello("other.example.com"));
  const told = fold(rig, part({ payload: innocent }), part({ start: 2500, verdict: "held" }));
  assert.deepStrictEqual(told, [
    "t-1 out 7 client other.example.com",
    "t-1 out 7 client blocked by api.example.com",
  ]);
  assert.deepStrictEqual(rig.judged, [
    ["00ff", 1000, false],
    ["00ff", 2500, true],
  ]);
  assert.deepStrictEqual(fold(rig, lifetime("closed")), []);
});

test("hello fold: what is left at the end is told: open connections, hellos that wait, halves", () => {
  const rig = openFold();
  assert.deepStrictEqual(fold(rig, part(), lifetime("open")), [
    "t-1 out 7 client api.example.com",
    "t-1 open 7 client 300 4000 100",
  ]);
  const [waits, half] = [
    come({ socket: "b2", start: 1 }),
    part({ ends: { ...client, local: "10.0.0.1:40001" }, socket: "a3", payload: stream.subarray(0, 900) }),
  ];
  assert.deepStrictEqual(fold(rig, waits, half), []);
  assert.deepStrictEqual(atEnd(rig), [
    "t-3 out 7 client hello-incomplete",
    "t-2 in null server api.example.com",
    "t-2 open null server null null 195",
    "t-3 open 7 client null null 195",
  ]);
  assert.deepStrictEqual(atEnd(rig), []);
});

test("hello fold: a half whose rest never comes is told in time, and waited for until then", () => {
  const rig = openFold();
  assert.deepStrictEqual(fold(rig, part({ payload: stream.subarray(0, 900) })), []);
  assert.deepStrictEqual([released(rig, 10_000), rig.fold.holds], [[], true]);
  assert.deepStrictEqual(released(rig, 10_011), ["t-1 out 7 client hello-incomplete"]);
  assert.ok(!rig.fold.holds);
});

const quic = {
  ends: { ...client, transport: "quic" },
  payload: initial({ frames: [crypto(0, largeHello("quic.example.com", 500))] }),
} as const;
const quicServer = { ...server, transport: "quic" } as const;
const quicCome = (change: Partial<Part> = {}) => come({ ...quic, ends: quicServer, ...change });

test("hello fold: QUIC is told with who uses its socket, and with what it carried", () => {
  const rig = openFold();
  assert.deepStrictEqual(fold(rig, part({ ...quic, owner: null })), []);
  const told = fold(
    rig,
    lifetime("owner", { ends: quic.ends }),
    lifetime("closed", { ends: quic.ends, owner: null }),
  );
  assert.deepStrictEqual(told, ["t-1 out 7 client quic.example.com", "t-1 closed 7 client 300 4000 100"]);
  assert.deepStrictEqual([atEnd(rig), rig.asked], [[], []]);
});

test("hello fold: a QUIC server has one socket for all its connections, and whoever uses it has them", () => {
  const rig = openFold();
  const other = { ...quicServer, remote: "10.0.0.1:40009" };
  assert.deepStrictEqual(fold(rig, quicCome(), quicCome({ ends: other })), []);
  const newest = { ends: other, socket: "b1", owner: 9 };
  assert.deepStrictEqual(fold(rig, lifetime("owner", newest)), [
    "t-1 in 9 server quic.example.com",
    "t-2 in 9 server quic.example.com",
  ]);
  // Each ends by itself.
  const first = { ends: quicServer, socket: "b1", owner: null };
  assert.deepStrictEqual(fold(rig, lifetime("closed", first)), ["t-1 closed 9 server 300 4000 100"]);
  assert.deepStrictEqual(fold(rig, lifetime("open", { ...first, ends: other })), [
    "t-2 open 9 server 300 4000 100",
  ]);
});

test("hello fold: QUIC of the same ends again is another connection, and TCP's is not QUIC's", () => {
  const rig = openFold();
  const told = fold(
    rig,
    part({ ...quic, start: 1 }),
    part({ ...quic, start: 1 }),
    lifetime("closed"),
    lifetime("closed", { ends: quic.ends }),
    part({ ...quic, start: 2 }),
  );
  assert.deepStrictEqual(told, [
    "t-1 out 7 client quic.example.com",
    "t-1 closed 7 client 300 4000 100",
    "t-2 out 7 client quic.example.com",
  ]);
});

test("hello fold: QUIC that passes through this host is one, and what it carries is not told", () => {
  const rig = openFold();
  const nobody = { socket: null, owner: null, command: "", start: 0 };
  assert.deepStrictEqual(fold(rig, quicCome(nobody), part({ ...quic, ...nobody, interfaceIndex: 3 })), []);
  assert.deepStrictEqual(released(rig, 120), ["t-1 in null null quic.example.com"]);
  assert.deepStrictEqual(atEnd(rig), []);
});

test("hello fold: QUIC of a socket that was not found has an owner where the host's tables name one", () => {
  const rig = openFold({ owner: 12 });
  assert.deepStrictEqual(fold(rig, part({ ...quic, socket: null, owner: null })), []);
  assert.deepStrictEqual(released(rig, 120), ["t-1 out 12 client quic.example.com"]);
  assert.deepStrictEqual(atEnd(rig), []);
});

const listed = ["api.example.com"];

for (const [what, given, rules, told, judged] of [
  ["what the kernel blocked", part({ verdict: "blocked" }), listed, "blocked by api.example.com", []],
  [
    "what the kernel holds, of a listed name",
    part({ verdict: "held" }),
    listed,
    "blocked by api.example.com",
    [true],
  ],
  [
    "what the kernel holds, of another name",
    part({ verdict: "held" }),
    ["other"],
    "api.example.com",
    [false],
  ],
  ["what the kernel could not read", part({ verdict: "none" }), listed, "blocked by api.example.com", [true]],
  ["what the kernel let pass", part({ verdict: "allowed" }), ["other"], "api.example.com", []],
  [
    "what the kernel let pass by an older list",
    part({ verdict: "allowed" }),
    listed,
    "blocked by api.example.com",
    [true],
  ],
  [
    "what was taken off the list since the kernel blocked it",
    part({ verdict: "blocked" }),
    ["other"],
    "blocked by api.example.com",
    [],
  ],
] as const) {
  test(`hello fold: ${what} is ${judged.length > 0 ? "judged" : "not judged again"}, and told`, () => {
    const rig = openFold({ rules: [...rules] });
    assert.deepStrictEqual(fold(rig, given), [`t-1 out 7 client ${told}`]);
    assert.deepStrictEqual(
      rig.judged,
      judged.map((isBlocked) => ["00ff", 1000, isBlocked]),
    );
    const carried = told.startsWith("blocked") ? [] : ["t-1 closed 7 client 300 4000 100"];
    assert.deepStrictEqual(fold(rig, lifetime("closed")), carried);
    assert.deepStrictEqual(atEnd(rig), []);
  });
}

test("hello fold: what is refused does not wait for its owner", () => {
  const rig = openFold({ rules: listed });
  assert.deepStrictEqual(fold(rig, come({ verdict: "blocked" })), [
    "t-1 in null server blocked by api.example.com",
  ]);
  assert.deepStrictEqual(atEnd(rig), []);
});

test("hello fold: a held hello that never becomes whole is let go", () => {
  const rig = openFold({ rules: listed });
  assert.deepStrictEqual(fold(rig, part({ verdict: "held", payload: stream.subarray(0, 900) })), []);
  assert.deepStrictEqual(released(rig, 10_011), ["t-1 out 7 client hello-incomplete"]);
  assert.deepStrictEqual(rig.judged, [["00ff", 1000, false]]);
});

test("hello fold: what the kernel refuses by a hello's first packet is told at once, and once", () => {
  const rig = openFold({ rules: ["api.example.com"] });
  const first = nameFirst.subarray(0, 300);
  const refused = "t-1 out 7 client blocked by api.example.com";
  assert.deepStrictEqual(fold(rig, part({ verdict: "blocked", payload: first })), [refused]);
  const again = part({ verdict: "blocked", payload: first, monotonicNs: at(210) });
  const rest = part({ verdict: "blocked", offset: 300, payload: nameFirst.subarray(300) });
  assert.deepStrictEqual(fold(rig, again, rest), []);
  assert.deepStrictEqual([rig.fold.holds, atEnd(rig), rig.judged], [false, [], []]);
});

test("hello fold: a refused hello whose packets come in the wrong order is told by its first", () => {
  const rig = openFold({ rules: ["api.example.com"] });
  const rest = part({ offset: 300, payload: nameFirst.subarray(300) });
  const first = part({ verdict: "blocked", payload: nameFirst.subarray(0, 300) });
  assert.deepStrictEqual(fold(rig, rest, first), ["t-1 out 7 client blocked by api.example.com"]);
  assert.equal(rig.fold.holds, false);
});

test("hello fold: of a connection that nobody wants, neither hello nor end is told", () => {
  const rig = openFold({ unwanted: [7, 9] });
  const others = { ...client, local: "10.0.0.1:40001" };
  const told = fold(
    rig,
    part(),
    part({ ends: others, socket: "a2", owner: 8 }),
    come(),
    lifetime("closed"),
    lifetime("closed", { ends: others, socket: "a2", owner: 8 }),
    lifetime("closed", { ends: server, socket: "b1", owner: 9 }),
  );
  assert.deepStrictEqual(told, ["t-2 out 8 client api.example.com", "t-2 closed 8 client 300 4000 100"]);
  assert.deepStrictEqual([fold(rig, part({ start: 5000, socket: "a3" })), atEnd(rig)], [[], []]);
});
