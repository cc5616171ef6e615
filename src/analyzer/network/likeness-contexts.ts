// The TLS contexts that clients meet, one for each certificate that servers have shown, so that sessions can be resumed.
import { createHash } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import type { Authority } from "./authority.ts";

/** The oldest goes first. */
const mostContexts = 1000;

interface Entry {
  context: Promise<SecureContext>;
  /** Made anew after this, well before the certificate expires. */
  renewMs: number;
}

export class LikenessContexts {
  readonly #authority: Authority;
  readonly #entries = new Map<string, Entry>();

  constructor(authority: Authority) {
    this.#authority = authority;
  }

  /** @param certificate DER of the server's */
  contextFor(certificate: Buffer): Promise<SecureContext> {
    const key = createHash("sha256").update(certificate).digest("base64");
    const known = this.#entries.get(key);
    if (known && known.renewMs > Date.now()) return known.context;
    const entry: Entry = { context: this.#make(certificate, key), renewMs: Infinity };
    this.#entries.set(key, entry);
    const [oldest = ""] = this.#entries.keys();
    if (this.#entries.size > mostContexts) this.#entries.delete(oldest);
    return entry.context;
  }

  async #make(certificate: Buffer, entryKey: string): Promise<SecureContext> {
    const { chain, key, expiresMs } = await this.#authority.issue(certificate);
    const entry = this.#entries.get(entryKey);
    if (entry) entry.renewMs = (Date.now() + expiresMs) / 2;
    return createSecureContext({ cert: chain, key });
  }
}
