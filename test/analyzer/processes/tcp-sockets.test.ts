import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { ProcessTable } from "../../../src/analyzer/processes/process-table.ts";
import { establishedRows } from "../../../src/analyzer/processes/tcp-sockets.ts";

const head =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const line = (state: string, timer = "00:00000000", inode = "5151") =>
  `   1: 0100007F:01BB 0200007F:9C40 ${state} 00000000:00000010 ${timer} 00000000     0        0 ${inode} 1 ffff888 20 4 30 10 -1`;

test("tcp: reads an established connection with its ends and what changes when bytes travel", () => {
  assert.deepStrictEqual(establishedRows([`${head}\n${line("01")}\n`]), [
    {
      inode: 5151,
      local: "127.0.0.1:443",
      remote: "127.0.0.2:40000",
      isServer: false,
      traffic: "00000000:00000010 00 4 10",
    },
  ]);
});

test("tcp: knows the server's end by a listener at its port, in either table", () => {
  const listener = line("0A").replace("0200007F:9C40", "00000000:0000");
  const [row] = establishedRows([line("01"), `${head}\n${listener}`]);
  assert.equal(row?.isServer, true);
});

test("tcp: a keep-alive timer is no traffic, a retransmission timer is", () => {
  const traffic = (timer: string) => establishedRows([line("01", timer)])[0]?.traffic;
  assert.equal(traffic("02:000000AA"), traffic("00:00000000"));
  assert.notEqual(traffic("01:00000014"), traffic("00:00000000"));
});

test("tcp: leaves out other states, sockets without an inode, and lines that make no sense", () => {
  const cut = Array.from({ length: line("01").length }, (_, length) => line("01").slice(0, length));
  const rows = establishedRows([
    line("06"),
    line("01", "00:0", "0"),
    head,
    ...cut.slice(0, 90),
    "01 01 01 01",
  ]);
  assert.deepStrictEqual(rows, []);
});

test("tcp: finds this process's own connections, IPv4 in IPv6 as IPv4", async () => {
  const server = createServer().listen(0, "::");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect(port, "127.0.0.1");
  const [accepted] = (await once(server, "connection")) as [Socket];
  try {
    const found = new ProcessTable().tcpSockets(process.pid) ?? [];
    const ends = found
      .filter(({ local, remote }) => [local, remote].includes(`127.0.0.1:${port}`))
      .map(({ local, isServer }) => [local, isServer]);
    assert.deepStrictEqual(
      new Map(ends as [string, boolean][]),
      new Map([
        [`127.0.0.1:${port}`, true],
        [`127.0.0.1:${client.localPort ?? 0}`, false],
      ]),
    );
  } finally {
    client.destroy();
    accepted.destroy();
    server.close();
  }
});
