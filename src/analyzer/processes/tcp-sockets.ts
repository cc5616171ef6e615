// Reads /proc/PID/net/tcp and tcp6 (proc_pid_net(5); the columns are those of tcp4_seq_show and get_tcp6_sock in the
// kernel's net/ipv4/tcp_ipv4.c and net/ipv6/tcp_ipv6.c) into established connections.
import { endpoint } from "../endpoint.ts";

/** A row of the table, before it is known whose socket it is. */
export interface TcpRow {
  inode: number;
  local: string;
  remote: string;
  isServer: boolean;
  traffic: string;
}

/** `TCP_ESTABLISHED` and `TCP_LISTEN` of the kernel's net/tcp_states.h, as the table prints them. */
const established = "01";
const listening = "0A";

/** `timer_active` of a keep-alive timer: it runs where nothing travels. */
const keepAliveTimer = "02";

/** Established connections of these tables together; malformed lines are left out. */
export function establishedRows(tables: readonly string[]): TcpRow[] {
  const rows = tables.flatMap((table) => table.split("\n").map((line) => line.trim().split(/\s+/)));
  const listeningPorts = new Set(
    rows.filter(([, , , state]) => state === listening).map(([, local]) => portOf(local)),
  );
  return rows.flatMap((columns) => {
    const [, local = "", remote = "", state, queues = "", timer = "", , , , inode = ""] = columns;
    if (state !== established || !/^[1-9]\d*$/.test(inode)) return [];
    const [here, there] = [endpointOf(local), endpointOf(remote)];
    if (here === null || there === null) return [];
    const [timerActive = ""] = timer.split(":");
    // After inode, reference count and address: retransmission timeout, ato, quick | pingpong, congestion window.
    const [, ato = "", , window = ""] = columns.slice(12);
    const travelling = timerActive === keepAliveTimer ? "00" : timerActive;
    return [
      {
        inode: Number(inode),
        local: here,
        remote: there,
        isServer: listeningPorts.has(portOf(local)),
        traffic: [queues, travelling, ato, window].join(" "),
      },
    ];
  });
}

/** Rows of /proc/PID/net/udp and udp6, which have the columns of TCP's (udp4_format_sock of net/ipv4/udp.c). */
export function udpRows(tables: readonly string[]): Pick<TcpRow, "inode" | "local" | "remote">[] {
  return tables
    .flatMap((table) => table.split("\n").map((line) => line.trim().split(/\s+/)))
    .flatMap(([, local = "", remote = "", , , , , , , inode = ""]) => {
      const [here, there] = [endpointOf(local), endpointOf(remote)];
      return here === null || there === null || !/^[1-9]\d*$/.test(inode)
        ? []
        : [{ inode: Number(inode), local: here, remote: there }];
    });
}

const portOf = (column = ""): string => column.slice(column.indexOf(":") + 1);

/** The kernel prints an address as 32-bit words in the machine's byte order, which is little-endian here. */
function endpointOf(column: string): string | null {
  const [, address, port] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(column) ?? [];
  if (address === undefined || port === undefined) return null;
  const bytes = Buffer.from(address, "hex");
  return endpoint(bytes.swap32(), Number.parseInt(port, 16));
}
