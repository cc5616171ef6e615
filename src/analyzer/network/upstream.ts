// The proxy's side towards the server: a connection to the very address that the program asked for, opened and verified
// as strictly as the strictest client would. What cannot be opened so is named, for the client to meet by itself.
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type SecureContext, type TLSSocket } from "node:tls";
import type { Reason } from "../../protocol/coverage.ts";
import type { ClientHello } from "./first-bytes.ts";

export interface Destination {
  /** An IP address, or the host name that a program gave to us as its HTTP proxy. */
  address: string;
  port: number;
}

/** Resolves when it is connected; rejects with the system's error. */
export function connectUpstream({ address, port }: Destination): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host: address, port, allowHalfOpen: true, noDelay: true });
    socket.once("error", reject).once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

export type Handshake =
  | { opened: TLSSocket; refused: null }
  /** The socket is destroyed. */
  | { opened: null; refused: Reason };

/**
 * Shakes hands as the client would: its server name, its protocols. Refused when the server asks for a certificate,
 * which only the client has, and when the server's own certificate is not good.
 */
export function shakeHands(socket: Socket, hello: ClientHello, context: SecureContext): Promise<Handshake> {
  const { serverName, protocols } = hello;
  const tls = connectTls({
    socket,
    secureContext: context,
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
          if (tls.authorized) finish({ opened: tls, refused: null });
          else {
            const why = wordsOf(tls.authorizationError);
            refuse("upstream-certificate", `the server's certificate is not good (${why})`);
          }
        });
      });
  });
}

/** Declared an Error; it is OpenSSL's code (`CERT_HAS_EXPIRED`) as text. */
function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error).toLowerCase().replaceAll("_", " ");
}
