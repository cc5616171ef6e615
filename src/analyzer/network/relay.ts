// Carries bytes both ways between two sockets, at the speed of the slower one, with each side's half-close and abort
// told to the other.
import type { Socket } from "node:net";

/** Called with each piece after it was passed on. */
export type Watcher = (bytes: Buffer) => void;

export interface Watchers {
  fromClient: Watcher;
  fromServer: Watcher;
}

/** One end: the plaintext's socket, and the TCP socket under it, which is the same where there is no TLS. */
export interface Side {
  data: Socket;
  tcp: Socket;
}

/** Resolves when both are closed. An error on one side aborts the other: no end of data that was none. */
export async function relay(client: Side, server: Side, watchers?: Watchers): Promise<void> {
  carry(client, server, watchers?.fromClient);
  carry(server, client, watchers?.fromServer);
  await Promise.all([closed(client.data), closed(server.data)]);
}

function carry(from: Side, to: Side, watch?: Watcher): void {
  const source = from.data;
  const target = to.data;
  source.on("data", (bytes: Buffer) => {
    if (target.writable && !target.write(bytes)) source.pause();
    watch?.(bytes);
  });
  target.on("drain", () => source.resume());
  source.once("end", () => target.end());
  source.on("error", () => {
    abort(to);
  });
  const onClose = () => {
    if (!target.destroyed && !source.readableEnded) abort(to);
  };
  if (source.closed) onClose();
  else source.once("close", onClose).resume();
}

/**
 * Closes so that the peer sees an error rather than an end; where the end was told already, it stays that. libuv resets
 * no socket that is shutting down, and would leave it open.
 */
export function abort({ data, tcp }: Side): void {
  tcp.on("error", () => undefined);
  if (data.writableEnded) data.destroy();
  else tcp.resetAndDestroy();
}

function closed(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve();
  return new Promise((resolve) => {
    socket.once("close", () => {
      resolve();
    });
  });
}
