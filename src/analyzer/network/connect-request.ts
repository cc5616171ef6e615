// The beginning of a connection by way of an HTTP proxy, ours or another: the CONNECT request (RFC 9110, 9.3.6), and its
// answer. What follows is carried as on any other connection.
import type { Socket } from "node:net";
import type { Destination } from "./upstream.ts";

const mostBytes = 8192;
const headEnd = "\r\n\r\n";

/** Gives where to; null, with an answer that says no, for any other request. Leaves the socket paused. */
export async function acceptConnectRequest(socket: Socket): Promise<Destination | null> {
  const head = await readHead(socket);
  if (head === null) return null;
  const [, host = "", port = ""] =
    /^CONNECT (\[[0-9a-f:.]+\]|[^\s:[\]]+):(\d{1,5}) HTTP\/1\.[01]\r\n/i.exec(head) ?? [];
  if (host === "" || Number(port) < 1 || Number(port) > 65_535) {
    socket.end("HTTP/1.1 405 Method Not Allowed\r\nAllow: CONNECT\r\nContent-Length: 0\r\n\r\n");
    return null;
  }
  socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
  return { address: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}

/**
 * Says the head of a CONNECT request to a proxy. Null when it ended without an answer. What comes after the answer's head
 * stays in the socket, which is left paused.
 */
export async function askForTunnel(
  socket: Socket,
  request: string,
): Promise<{ head: string; isOpen: boolean } | null> {
  socket.write(request, "latin1");
  const head = await readHead(socket);
  return head === null ? null : { head, isOpen: /^HTTP\/1\.[01] 2\d\d\b/.test(head) };
}

/** A head; what came after it goes back into the socket. Null when it ended, or was too long. */
export function readHead(socket: Socket): Promise<string | null> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0);
    const finish = (head: string | null) => {
      socket.off("data", onData).off("end", onClose).off("close", onClose).pause();
      resolve(head);
    };
    const onData = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf(headEnd);
      if (end >= 0) {
        const rest = bytes.subarray(end + headEnd.length);
        finish(bytes.toString("latin1", 0, end + headEnd.length));
        if (rest.length > 0) socket.unshift(rest);
      } else if (bytes.length > mostBytes) finish(null);
    };
    const onClose = () => {
      finish(null);
    };
    socket.on("data", onData).once("end", onClose).once("close", onClose).resume();
  });
}
