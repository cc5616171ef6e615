// Tells from looks at /proc, taken one after the other, which established TCP connections were in use between them.
// Pure: who looks, and when, is capture/'s.

/** One established TCP connection of a process. */
export interface TcpSocket {
  pid: number;
  /** Its process's network namespace, without which addresses say nothing; null when that may not be seen. */
  namespace: number | null;
  inode: number;
  /** `address:port`, IPv6 in brackets. */
  local: string;
  remote: string;
  /** The process, or another one of its network namespace, listens on the local port: it is the server's end. */
  isServer: boolean;
  /** What changes when bytes travel: queues, retransmission timer, congestion window, delayed acknowledgement. */
  traffic: string;
}

/** One that was in use. */
export interface ActiveSocket extends TcpSocket {
  /** It came up after the first look. */
  isFresh: boolean;
}

interface Known {
  socket: TcpSocket;
  isFresh: boolean;
  /** It came up after the first look, and one look more has to follow: what began just now has said nothing yet. */
  isNew: boolean;
  isActive: boolean;
}

/**
 * A connection was active when it came up between the first look and the last, or when its traffic state differs between
 * two looks. One that lives between two looks is not noticed, and one that only idles is not active.
 */
export class SocketActivity {
  readonly #known = new Map<string, Known>();
  #looks = 0;

  look(sockets: readonly TcpSocket[]): void {
    for (const known of this.#known.values()) {
      known.isActive ||= known.isNew;
      known.isNew = false;
    }
    for (const socket of sockets) {
      const key = `${socket.pid}:${socket.inode}`;
      const known = this.#known.get(key);
      if (known === undefined) {
        const isFresh = this.#looks > 0;
        this.#known.set(key, { socket, isFresh, isNew: isFresh, isActive: false });
      } else {
        known.isActive ||= known.socket.traffic !== socket.traffic;
        known.socket = socket;
      }
    }
    this.#looks++;
  }

  get active(): ActiveSocket[] {
    return [...this.#known.values()]
      .filter(({ isActive }) => isActive)
      .map(({ socket, isFresh }) => ({ ...socket, isFresh }));
  }
}
