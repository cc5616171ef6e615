import assert from "node:assert/strict";
import { test } from "node:test";
import { describeHost, networkAvailability, uprobeAvailability } from "../../src/analyzer/host.ts";
import type { Rights } from "../../src/analyzer/host.ts";

const bits = (...capabilities: number[]): bigint =>
  capabilities.reduce((set, bit) => set | (1n << BigInt(bit)), 0n);
const root: Rights = {
  arch: "x86_64",
  kernel: "6.18.44-cloud",
  btf: true,
  capabilities: bits(21, 38, 39),
  initialUserNamespace: true,
  hostProcessIds: true,
  sudo: false,
};

const hosts: [about: string, rights: Partial<Rights>, reason: RegExp | null][] = [
  ["root", {}, null],
  ["CAP_BPF and CAP_PERFMON", { capabilities: bits(38, 39) }, null],
  ["CAP_SYS_ADMIN alone", { capabilities: bits(21) }, null],
  ["CAP_BPF alone", { capabilities: bits(39) }, /CAP_PERFMON; try sudo/],
  ["a user", { capabilities: 0n }, /not permitted/],
  ["a user who may use sudo", { capabilities: 0n, sudo: true }, null],
  ["root of a rootless container", { initialUserNamespace: false }, /user namespace/],
  ["a container with process ids of its own", { hostProcessIds: false, sudo: true }, /--pid=host/],
  ["a kernel without BTF", { btf: false }, /BTF/],
  ["the oldest kernel", { kernel: "5.19.0-50-generic" }, null],
  ["a kernel before it", { kernel: "5.15.0" }, /5\.15\.0 is too old/],
  ["a kernel of another age", { kernel: "4.19.0" }, /too old/],
  ["sudo on a kernel that is too old", { kernel: "4.19.0", sudo: true }, /too old/],
  ["another architecture", { arch: "aarch64" }, /not on aarch64/],
];
for (const [about, rights, reason] of hosts) {
  test(`host: ${about} ${reason === null ? "may" : "may not"} have uprobes`, () => {
    const availability = uprobeAvailability({ ...root, ...rights });
    assert.equal(availability.available, reason === null);
    if (!availability.available) assert.match(availability.reason, reason ?? /never/);
  });
}

const networks: [about: string, rights: Partial<Rights>, reason: RegExp | null][] = [
  ["root", { capabilities: bits(12, 21, 38, 39) }, null],
  ["who may probe and has CAP_NET_ADMIN", { capabilities: bits(12, 38, 39) }, null],
  ["who may probe alone", { capabilities: bits(38, 39) }, /CAP_NET_ADMIN; try sudo/],
  ["CAP_NET_ADMIN alone", { capabilities: bits(12) }, /CAP_BPF and CAP_PERFMON/],
  ["a user who may use sudo", { capabilities: 0n, sudo: true }, null],
];
for (const [about, rights, reason] of networks) {
  test(`host: ${about} ${reason === null ? "may" : "may not"} watch the network`, () => {
    const availability = networkAvailability({ ...root, ...rights });
    assert.equal(availability.available, reason === null);
    if (!availability.available) assert.match(availability.reason, reason ?? /never/);
  });
}

test("host: does not offer the path of a later version", () => {
  assert.equal(describeHost().paths.agent.available, false);
});

test("host: the proxy needs no rights of its own", () => {
  assert.deepStrictEqual(describeHost().paths.mitm, { available: true });
});
