// Programs that are asked by their environment to use the proxy, where the kernel may not send their connections to it:
// they say by CONNECT where they want to go, and are taken there by way of the HTTP proxy that they would have used.
import type { Socket } from "node:net";
import { TracerUnavailable } from "../capture/tracer-launch.ts";
import { endpointOf } from "../endpoint.ts";
import { socketOwner } from "../processes/socket-owner.ts";
import { acceptConnectRequest } from "./connect-request.ts";
import { ownProxy, type OwnProxy } from "./own-proxy.ts";
import type { Arrival } from "./proxy.ts";
import { proxyVariables } from "./proxy-variables.ts";

export class AskedPrograms {
  readonly #port: number;
  readonly #commandOf: (pid: number) => string;
  /** What they would use if they were not asked to use ours. */
  #ownProxy: OwnProxy | null = null;

  /** @param port where the proxy listens on loopback */
  constructor(port: number, commandOf: (pid: number) => string) {
    this.#port = port;
    this.#commandOf = commandOf;
  }

  /**
   * What asks them.
   * @param environment what they would have without us
   * @param trusting with what makes them trust the proxy; extended by the result
   */
  variables(environment: NodeJS.ProcessEnv, trusting: Record<string, string>): Record<string, string> {
    this.#ownProxy = ownProxyOf(environment);
    return proxyVariables(this.#port, trusting);
  }

  /** Null for a connection that no program of this host has asked for. */
  async arrival(socket: Socket, address: string, port: number): Promise<Arrival | null> {
    const pid = socketOwner(endpointOf(address, port), endpointOf(address, this.#port));
    if (pid === null) return null;
    const destination = await acceptConnectRequest(socket);
    if (destination === null) return null;
    const via = this.#ownProxy?.viaFor(destination.address);
    return { pid, command: this.#commandOf(pid), destination: { ...destination, ...(via && { via }) } };
  }
}

function ownProxyOf(environment: NodeJS.ProcessEnv): OwnProxy | null {
  try {
    return ownProxy(environment);
  } catch (error) {
    const text = `HTTPS_PROXY: ${error instanceof Error ? error.message : String(error)}, and no other can be gone on through`;
    const remedy = "run it without that variable, or as root, where programs keep their own proxy";
    throw new TracerUnavailable({ code: "own-proxy", text, remedy });
  }
}
