import assert from "node:assert/strict";
import { test } from "node:test";
import {
  outcomeOf,
  reportWith,
  tlsProof,
  withMeasurement,
  type SeenConnection,
} from "../../../src/analyzer/coverage/measurement.ts";
import {
  SocketActivity,
  type ActiveSocket,
  type TcpSocket,
} from "../../../src/analyzer/coverage/socket-activity.ts";
import type { Measurement } from "../../../src/protocol/coverage.ts";
import { java, node, reportOf } from "../report/sample-report.ts";

const since = "2026-01-31T12:00:00.000Z";
const idle: TcpSocket = {
  pid: 1,
  namespace: 1,
  inode: 7,
  local: "127.0.0.1:40000",
  remote: "127.0.0.1:9000",
  isServer: false,
  traffic: "0",
};
const used: ActiveSocket = { ...idle, isFresh: false };
const seen: SeenConnection = {
  pid: 2,
  namespace: 1,
  bytes: 100,
  local: "127.0.0.1:9000",
  remote: "127.0.0.1:40000",
  role: "server",
  file: "/usr/bin/node",
};

const looks: [what: string, looks: TcpSocket[][], inodes: number[]][] = [
  ["idles", [[idle], [idle], [idle]], []],
  ["was there before and moved bytes", [[idle], [{ ...idle, traffic: "1" }], [idle]], [7]],
  ["came up and was seen again", [[], [idle], [idle]], [7]],
  ["came up and went", [[], [idle], []], [7]],
  ["came up just before the end", [[], [idle]], []],
  ["went without a change", [[idle], [], []], []],
  ["has the inode of another process's", [[idle], [{ ...idle, pid: 9, traffic: "1" }]], []],
];
for (const [what, sockets, inodes] of looks) {
  test(`activity: a connection that ${what} is ${inodes.length > 0 ? "" : "not "}active`, () => {
    const activity = new SocketActivity();
    for (const look of sockets) activity.look(look);
    assert.deepStrictEqual(
      activity.active.map(({ inode }) => inode),
      inodes,
    );
  });
}

test("activity: what came up after the first look is told from what was there", () => {
  const activity = new SocketActivity();
  activity.look([idle]);
  activity.look([
    { ...idle, traffic: "1" },
    { ...idle, inode: 8 },
  ]);
  activity.look([]);
  assert.deepStrictEqual(
    activity.active.map(({ inode, isFresh }) => [inode, isFresh]),
    [
      [7, false],
      [8, true],
    ],
  );
});

const elsewhere = { ...seen, remote: "127.0.0.1:41111" };
const proofs: [what: string, socket: ActiveSocket, decrypted: SeenConnection[], proof: string | null][] = [
  ["of an unknown port", used, [], null],
  ["to a port registered for TLS", { ...used, remote: "10.0.0.1:443" }, [], "port 443"],
  ["of a server at such a port", { ...used, local: "[::1]:8443", isServer: true }, [], "port 8443"],
  ["from such a port, which a client happens to have", { ...used, local: "10.0.0.1:443" }, [], null],
  ["whose other end was decrypted", used, [seen], "its other end was decrypted"],
  ["to an end that spoke TLS to others", used, [elsewhere], "TLS to 127.0.0.1:9000 was decrypted elsewhere"],
  ["to an end of which nobody knows who served", used, [{ ...elsewhere, role: null }], null],
  ["to such an end of another namespace", { ...used, namespace: 2 }, [elsewhere], null],
  [
    "to such an end of an unknown namespace",
    { ...used, namespace: null },
    [{ ...elsewhere, namespace: null }],
    null,
  ],
  ["over loopback with the ends of one in another namespace", { ...used, namespace: 2 }, [seen], null],
  [
    "between namespaces whose other end was decrypted",
    { ...used, local: "10.0.0.1:40000", remote: "10.0.0.2:9000" },
    [{ ...seen, namespace: 2, local: "10.0.0.2:9000", remote: "10.0.0.1:40000" }],
    "its other end was decrypted",
  ],
  [
    "that began while hellos were watched, to a port registered for TLS",
    { ...used, remote: "10.0.0.1:443", isFresh: true },
    [],
    null,
  ],
  [
    "that began while hellos were watched, to an end that spoke TLS to others",
    { ...used, isFresh: true },
    [elsewhere],
    null,
  ],
  [
    "that began while hellos were watched, whose other end was decrypted",
    { ...used, isFresh: true },
    [seen],
    "its other end was decrypted",
  ],
  [
    "that began in another namespace than is watched, to such a port",
    { ...used, namespace: 2, remote: "10.0.0.1:443", isFresh: true },
    [],
    "port 443",
  ],
  ["to the client's end of another connection", { ...used, remote: "127.0.0.1:41111" }, [elsewhere], null],
];
for (const [what, socket, decrypted, proof] of proofs) {
  test(`measurement: a connection ${what} is ${proof === null ? "not claimed to be" : "known as"} TLS`, () => {
    assert.equal(tlsProof(socket, decrypted, 1), proof);
  });
}

test("measurement: where no hello is watched, a port is the proof of what began since, too", () => {
  assert.equal(tlsProof({ ...used, remote: "10.0.0.1:443", isFresh: true }, [], null), "port 443");
});

const toHttps = { ...used, remote: "10.0.0.1:443" };
const own: SeenConnection = {
  ...seen,
  pid: 1,
  local: "127.0.0.1:40000",
  remote: "127.0.0.1:9000",
  role: "client",
};
const outcomes: [
  what: string,
  connections: SeenConnection[],
  active: ActiveSocket[],
  expected: Partial<Measurement>,
][] = [
  ["nothing at all", [], [], { state: "not-exercised", connections: 0 }],
  ["a connection that is not known as TLS", [], [used], { state: "not-exercised", connections: 0 }],
  ["another process's plaintext only", [elsewhere], [], { state: "not-exercised", connections: 0 }],
  ["a server name without a byte", [{ ...own, bytes: 0 }], [], { state: "not-exercised", connections: 0 }],
  ["TLS in use without plaintext", [], [toHttps], { state: "silent", connections: 1 }],
  ["plaintext", [own], [], { state: "confirmed", connections: 1, decrypted: 1, bytes: 100 }],
  [
    "plaintext on the very socket",
    [own],
    [used],
    { state: "confirmed", connections: 1, decrypted: 1, bytes: 100 },
  ],
  [
    "plaintext and a silent one",
    [own],
    [toHttps],
    { state: "confirmed", connections: 2, decrypted: 1, bytes: 100 },
  ],
  [
    "plaintext without addresses, which may be that socket's",
    [{ ...own, local: null, remote: null }],
    [toHttps],
    { state: "confirmed", connections: 1, decrypted: 1, bytes: 100 },
  ],
  ["another process's silence", [], [{ ...toHttps, pid: 3 }], { state: "not-exercised", connections: 0 }],
];
for (const [what, connections, active, expected] of outcomes) {
  test(`measurement: ${what} is ${expected.state ?? ""}`, () => {
    assert.deepStrictEqual(
      outcomeOf(1, { since, connections, active, hellos: null, watchedNamespace: null }).measured,
      {
        decrypted: 0,
        bytes: 0,
        since,
        ...expected,
      },
    );
  });
}

const measured = (state: Measurement["state"], connections = 0): Measurement => ({
  connections,
  decrypted: state === "confirmed" ? connections : 0,
  bytes: 0,
  since,
  state,
});

test("measurement: silence takes the prediction back and says how the TLS is known", () => {
  const outcome = { measured: measured("silent", 2), proofs: ["port 443"], carrier: null };
  const { verdict, basis, reason } = withMeasurement(node, outcome);
  assert.deepStrictEqual(
    { verdict, basis, reason },
    {
      verdict: "dark",
      basis: "measured",
      reason: {
        code: "silent",
        text: "probes are attached and 2 TLS connections were in use (port 443), yet no plaintext was seen",
      },
    },
  );
});

test("measurement: a process that was not exercised keeps its prediction", () => {
  const outcome = { measured: measured("not-exercised"), proofs: [], carrier: null };
  assert.deepStrictEqual(withMeasurement(node, outcome), { ...node, measured: outcome.measured });
});

test("measurement: the stack that carried the traffic comes first and names the class", () => {
  const [openssl] = node.stacks;
  assert.ok(openssl);
  const gnutls = {
    ...openssl,
    stack: "gnutls" as const,
    linkage: "dynamic" as const,
    file: "/lib/libgnutls.so.30",
  };
  const nss = { ...gnutls, stack: "nss" as const, file: "/lib/libssl3.so", boundary: "/lib/libnspr4.so" };
  const stacks = [openssl, gnutls, nss];
  const process = { ...node, runtime: null, class: "static-openssl" as const, stacks };
  const by = (carrier: string | null) => {
    const { stacks, class: name } = withMeasurement(process, {
      measured: measured("confirmed", 1),
      proofs: [],
      carrier,
    });
    return [name, ...stacks.map(({ stack }) => stack)];
  };
  assert.deepStrictEqual(
    [by("/lib/libgnutls.so.30"), by("/lib/libnspr4.so"), by("/usr/bin/node"), by(null)],
    [
      ["gnutls", "gnutls", "openssl", "nss"],
      ["nss", "nss", "openssl", "gnutls"],
      ["static-openssl", "openssl", "gnutls", "nss"],
      ["static-openssl", "openssl", "gnutls", "nss"],
    ],
  );
});

test("measurement: plaintext makes a process traceable of which another stack had the say, and gives it its class", () => {
  const [openssl] = node.stacks;
  assert.ok(openssl);
  const rustls = { ...openssl, stack: "rustls" as const, symbols: "none" as const };
  const shared = { ...openssl, linkage: "dynamic" as const, file: "/lib/libssl.so.3" };
  const process = {
    ...node,
    runtime: null,
    class: "rustls" as const,
    stacks: [rustls, shared],
    path: "mitm" as const,
    verdict: "proxy" as const,
  };
  const outcome = { measured: measured("confirmed", 1), proofs: [], carrier: "/lib/libssl.so.3" };
  const after = withMeasurement(process, outcome);
  assert.deepStrictEqual(
    [after.class, after.path, after.verdict, after.basis, after.reason],
    [
      "dynamic-openssl",
      "uprobe",
      "traceable",
      "measured",
      { code: "plaintext-seen", text: "plaintext was seen at the functions of OpenSSL" },
    ],
  );
});

test("measurement: the file that carried most of the plaintext is the carrier", () => {
  const connections = [own, { ...own, file: "/lib/b.so", bytes: 300 }, { ...own, file: null, bytes: 900 }];
  assert.equal(
    outcomeOf(1, { since, connections, active: [], hellos: null, watchedNamespace: null }).carrier,
    "/lib/b.so",
  );
});

test("measurement: the report's summary counts what was measured", () => {
  const report = reportOf([node, java]);
  const silent = withMeasurement(node, {
    measured: measured("silent", 1),
    proofs: ["port 443"],
    carrier: null,
  });
  const { processes, summary } = reportWith(report, [silent]);
  assert.deepStrictEqual(
    [processes.map(({ verdict }) => verdict), summary.traceable, summary.dark],
    [["dark", "dark"], 0, 2],
  );
});
