import assert from "node:assert/strict";
import { test } from "node:test";
import { maskedValue } from "../../../src/protocol/traffic.ts";
import { maskSecrets, parseArguments } from "../../../src/analyzer/processes/arguments.ts";
import { listeningInodes, socketInode } from "../../../src/analyzer/processes/listening.ts";
import { matchesGlob, matchesSelection } from "../../../src/analyzer/processes/matching.ts";
import { parseUsers } from "../../../src/analyzer/processes/users.ts";
import { everyProcess } from "../../../src/analyzer/selection.ts";

const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:20FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5311 1 0000 100 0 0 10 0
   1: 0100007F:20FB 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 5312 1 0000 20 4 30 10 -1
   2: 00000000:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5313 1 0000 100 0 0 10 0
   3: 00000000:01BB 00000000:0000 0A broken
   4: nonsense 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5314 1`;
const tcp6 = `   0: 00000000000000000000000001000000:20FB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 6001 1`;

test("listening: finds the sockets that listen on a port, not the connections", () => {
  assert.deepStrictEqual([...listeningInodes(tcp, new Set([8443]))], [5311]);
  assert.deepStrictEqual([...listeningInodes(tcp, new Set([8443, 443]))], [5311, 5313]);
  assert.deepStrictEqual([...listeningInodes(tcp6, new Set([8443]))], [6001]);
});

test("listening: tells sockets from other files", () => {
  const links = ["socket:[5311]", "pipe:[5311]", "/dev/null", "socket:[]"];
  assert.deepStrictEqual(links.map(socketInode), [5311, null, null, null]);
});

test("users: gives the first name of an id, and leaves out malformed lines", () => {
  const text =
    "root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/:\n\nbroken\n:x:5:\nwww-data:x:33:33::/var/www:/bin/sh\n";
  assert.deepStrictEqual(
    [...parseUsers(text)],
    [
      [0, "root"],
      [33, "www-data"],
    ],
  );
});

const globs: [name: string, glob: string, matches: boolean][] = [
  ["node", "node", true],
  ["node", "no*", true],
  ["node", "n?de", true],
  ["node", "*", true],
  ["nodejs", "node", false],
  ["node", "NODE", false],
  ["a.b", "a.b", true],
  ["axb", "a.b", false],
  ["c++[1]", "c++[1]", true],
  ["a\nb", "a*b", true],
  ["", "*", true],
];
for (const [name, glob, matches] of globs) {
  test(`matching: ${JSON.stringify(name)} is ${matches ? "" : "not "}a ${JSON.stringify(glob)}`, () => {
    assert.equal(matchesGlob(name, glob), matches);
  });
}

const api = {
  pid: 7,
  parentPid: 1,
  startedAt: null,
  command: "api-worker",
  arguments: [],
  executable: "/usr/bin/node",
  workingDirectory: "/",
  user: "root",
  container: "4bd8a4e5".repeat(8),
  service: "api.service",
};
const selections: [about: string, selection: Partial<typeof everyProcess>, matches: boolean][] = [
  ["everything", {}, true],
  ["its command", { names: ["api-*"] }, true],
  ["its executable's name", { names: ["node"] }, true],
  ["another name", { names: ["python*"] }, false],
  ["any of several names", { names: ["python*", "node"] }, true],
  ["its unit", { services: ["api.service"] }, true],
  ["its unit without the suffix", { services: ["api"] }, true],
  ["its container's id", { containers: [api.container] }, true],
  ["the first digits of its container's id", { containers: ["4bd8a4e54bd8"] }, true],
  ["digits within its container's id", { containers: ["a4e5"] }, false],
  ["more digits than its container's id has", { containers: [`${api.container}4`] }, false],
  ["any of several containers", { containers: ["0000", "4bd8"] }, true],
  ["its name and another container", { names: ["node"], containers: ["0000"] }, false],
  ["its pid and another's name", { pids: [7], names: ["python*"] }, false],
];
for (const [about, selection, matches] of selections) {
  test(`matching: a process is ${matches ? "" : "not "}chosen by ${about}`, () => {
    assert.equal(matchesSelection(api, { ...everyProcess, ...selection }), matches);
  });
}

const named: [container: string | null, wanted: string, matches: boolean][] = [
  ["web", "web", true],
  ["web-2", "web", false],
  [null, "web", false],
];
for (const [container, wanted, matches] of named) {
  test(`matching: a process of ${container ?? "the host"} is ${matches ? "" : "not "}of container ${wanted}`, () => {
    assert.equal(matchesSelection({ ...api, container }, { ...everyProcess, containers: [wanted] }), matches);
  });
}

test("arguments: splits at NUL, keeps empty ones and drops the padding", () => {
  assert.deepStrictEqual(parseArguments("node\0\0api.js\0"), ["node", "", "api.js"]);
  assert.deepStrictEqual(parseArguments("nginx: worker process\0\0\0\0"), ["nginx: worker process"]);
  assert.deepStrictEqual(parseArguments(""), []);
});

const secrets: [given: string[], shown: string[]][] = [
  [
    ["--password", "x"],
    ["--password", maskedValue],
  ],
  [["--db-password=x"], [`--db-password=${maskedValue}`]],
  [["-Djavax.net.ssl.keyStore.password=x"], [`-Djavax.net.ssl.keyStore.password=${maskedValue}`]],
  [["API_KEY=x"], [`API_KEY=${maskedValue}`]],
  [
    ["--token", "--verbose"],
    ["--token", "--verbose"],
  ],
  [["Authorization: Bearer x"], [`Authorization: ${maskedValue}`]],
  [["postgres://app:x@db/one"], [`postgres://app:${maskedValue}@db/one`]],
  [["https://host:8443/a@b"], ["https://host:8443/a@b"]],
  [
    ["--password-file", "/run/x"],
    ["--password-file", "/run/x"],
  ],
  [
    ["secret.js", "x"],
    ["secret.js", "x"],
  ],
];
for (const [given, shown] of secrets) {
  test(`arguments: shows ${given.join(" ")} as ${shown.join(" ")}`, () => {
    assert.deepStrictEqual(maskSecrets(given), shown);
  });
}
