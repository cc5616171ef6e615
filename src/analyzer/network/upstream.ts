// The proxy's side towards the server: a connection to the very address that the program asked for, opened and verified
// as strictly as the strictest client would. What cannot be opened so is named, for the client to meet by itself.
import type { X509Certificate } from "node:crypto";
import { connect as connectTcp, type Socket, type TcpNetConnectOpts } from "node:net";
import { connect as connectTls, type SecureContext, type TLSSocket } from "node:tls";
import type { Reason } from "../../protocol/coverage.ts";
import { endpointOf } from "../endpoint.ts";
import { askForTunnel } from "./connect-request.ts";
import type { ClientHello } from "./first-bytes.ts";
import type { OwnEnd } from "./own-end.ts";

export interface Destination {
  /** An IP address, or the host name that a program gave to us as its HTTP proxy. */
  address: string;
  port: number;
  /** Our own ends to connect from, in the order to try them; any when absent. */
  from?: readonly OwnEnd[];
  /** What it is reached through. */
  via?: HttpProxy;
}

/** An HTTP proxy that is not ours. */
export interface HttpProxy {
  /** An IP address or a name. */
  address: string;
  port: number;
  /** Of `Proxy-Authorization: Basic`. */
  credentials: string | null;
}

/** Resolves when it is connected; rejects with the system's error, or with the answer of the proxy on the way. */
export async function connectUpstream({ address, port, from = [], via }: Destination): Promise<Socket> {
  if (via) return connectThrough(via, endpointOf(address, port));
  if (from.length === 0) return connect({ host: address, port });
  let failure: unknown;
  for (const end of from) {
    try {
      return await connect({ host: address, port, ...end });
    } catch (error) {
      if (!isTaken(error)) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function connectThrough({ address, port, credentials }: HttpProxy, authority: string): Promise<Socket> {
  const socket = await connect({ host: address, port });
  const authorization = credentials === null ? "" : `Proxy-Authorization: Basic ${credentials}\r\n`;
  const answer = await askForTunnel(
    socket,
    `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`,
  );
  if (answer?.isOpen) return socket;
  socket.destroy();
  const said = answer === null ? "nothing" : (answer.head.split("\r\n")[0] ?? "");
  throw new Error(`the HTTP proxy ${address}:${port} answered ${said}`);
}

/** Bound by another, or of a connection that has just ended: tcp(7), ip(7). */
function isTaken(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return code === "EADDRINUSE" || code === "EADDRNOTAVAIL";
}

function connect(how: TcpNetConnectOpts): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ ...how, allowHalfOpen: true, noDelay: true });
    socket.once("error", reject).once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

export type Handshake =
  | { opened: TLSSocket; certificate: X509Certificate; refused: null }
  /** The socket is destroyed. */
  | { opened: null; refused: Reason };

/** How a server's certificate is judged: by the roots of this context, or by being the very one of this fingerprint. */
export type Verification = { roots: SecureContext } | { fingerprint: string };

/**
 * Shakes hands as the client would: its server name, its protocols. Refused when the server asks for a certificate,
 * which only the client has, and when the server's own certificate is not good.
 */
export function shakeHands(
  socket: Socket,
  hello: ClientHello,
  verification: Verification,
): Promise<Handshake> {
  const { serverName, protocols } = hello;
  const tls = connectTls({
    socket,
    ...("roots" in verification && { secureContext: verification.roots }),
    ...(serverName !== null && { servername: serverName }),
    ...(protocols.length > 0 && { ALPNProtocols: protocols }),
    // Judged below, to say why. Without a server name the client knows what name it expects: our copy has the same.
    rejectUnauthorized: false,
    ...(serverName === null && { checkServerIdentity: () => undefined }),
  });
  return new Promise((resolve) => {
    const finish = (handshake: Handshake) => {
      tls.off("error", onError).off("close", onClose);
      if (handshake.opened === null) tls.on("error", () => undefined).destroy();
      resolve(handshake);
    };
    const refuse = (code: string, text: string) => {
      finish({ opened: null, refused: { code, text } });
    };
    // A client has signature algorithms in common with its server only where the server named some, in a request for
    // the client's certificate (tls_process_certificate_request of OpenSSL).
    const refuseOr = (otherwise: () => void) => {
      if (tls.getSharedSigalgs().length === 0) otherwise();
      else
        refuse("client-certificate", "the server asks for a client certificate, which only the program has");
    };
    const onError = (error: Error) => {
      refuseOr(() => {
        refuse("upstream-handshake", `the TLS handshake with the server failed (${error.message.trim()})`);
      });
    };
    const onClose = () => {
      refuse("upstream-handshake", "the server closed the connection during the TLS handshake");
    };
    tls
      .once("error", onError)
      .once("close", onClose)
      .once("secureConnect", () => {
        refuseOr(() => {
          // Asked once: Node takes it out of the chain that it gives it from.
          const certificate = tls.getPeerX509Certificate();
          const fault = faultOf(tls, certificate, verification);
          if (certificate !== undefined && fault === null)
            finish({ opened: tls, certificate, refused: null });
          else refuse("upstream-certificate", fault ?? "the server shows no certificate");
        });
      });
  });
}

function faultOf(
  tls: TLSSocket,
  certificate: X509Certificate | undefined,
  verification: Verification,
): string | null {
  if ("fingerprint" in verification) {
    const isSame = certificate?.fingerprint256 === verification.fingerprint;
    return isSame ? null : "the server shows another certificate than the one that was given";
  }
  // Declared an Error; it is OpenSSL's code (`CERT_HAS_EXPIRED`) as text.
  const error = tls.authorizationError as unknown;
  const words = error instanceof Error ? error.message : String(error).toLowerCase().replaceAll("_", " ");
  return tls.authorized ? null : `the server's certificate is not good (${words})`;
}
