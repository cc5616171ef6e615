// The HTTP proxy that the user's own environment names: where programs are asked to use ours instead, what they say goes
// on through theirs, unless NO_PROXY names the server.
import type { HttpProxy } from "./upstream.ts";

export interface OwnProxy {
  /** Null for a server that is reached without it. */
  viaFor(host: string): HttpProxy | null;
}

/** Null where there is none. Throws for one that is not spoken to in plain HTTP (RFC 9110, 9.3.6). */
export function ownProxy(environment: NodeJS.ProcessEnv): OwnProxy | null {
  const named = first(
    environment.https_proxy,
    environment.HTTPS_PROXY,
    environment.all_proxy,
    environment.ALL_PROXY,
  );
  if (named === "") return null;
  // A name alone is one of HTTP, as curl, Python and Go have it.
  const text = named.includes("://") ? named : `http://${named}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== "http:")
    throw new Error(`${withoutPassword(named)} is no proxy of the form http://HOST:PORT`);
  const { hostname, port, username, password } = url;
  const credentials = [username, password].map((part) => decodeURIComponent(part)).join(":");
  const proxy: HttpProxy = {
    address: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? 80 : Number(port),
    credentials: username === "" ? null : Buffer.from(credentials).toString("base64"),
  };
  const exceptions = first(environment.no_proxy, environment.NO_PROXY)
    .split(/[\s,]+/)
    .filter((rule) => rule !== "");
  return { viaFor: (host) => (exceptions.some((rule) => isMeant(rule, host)) ? null : proxy) };
}

const first = (...values: (string | undefined)[]): string =>
  values.find((value) => value !== undefined && value !== "") ?? "";

const withoutPassword = (text: string): string => text.replace(/\/\/[^@/]*@/, "//");

/** A rule is a name with all below it, with or without a dot or `*.` before it, an address, or `*`. */
function isMeant(rule: string, host: string): boolean {
  const name = rule
    .toLowerCase()
    .replace(/^\*?\./, "")
    .replace(/:\d+$/, "");
  const asked = host.toLowerCase();
  return rule === "*" || asked === name || asked.endsWith(`.${name}`);
}
