// The table of TLS stacks: how each is recognised in a file, and which of its functions carry plaintext. A new stack is
// a row here; the engine in analysis.ts does not change.
import type { StackName } from "../../protocol/coverage.ts";
import type { ProbeRole } from "../../tracer/messages.ts";

export interface StackRow {
  stack: StackName;
  /** Base names of the libraries that are this stack; null for one that is only ever linked in. */
  library: RegExp | null;
  /** Functions of which any one proves the stack, for no other stack defines it. */
  markers: readonly string[];
  /** Functions without which the file may use the stack but does not carry it. */
  plaintext: readonly string[];
  /** What a probe can sit on; empty where this version cannot capture the stack. */
  functions: Readonly<Partial<Record<string, ProbeRole>>>;
  /**
   * Where plaintext passes functions of another project's library, which serve what is no TLS, too: they count only in
   * a process that has the stack, and only for objects that the stack made.
   */
  boundary?: {
    library: RegExp;
    plaintext: readonly string[];
    functions: Readonly<Partial<Record<string, ProbeRole>>>;
  };
  /**
   * Texts, of which the stack leaves one in a file whose symbols are gone: presence, never proof of a function. The first
   * group, if there is one, is the version.
   */
  traces: readonly { start: string; pattern: RegExp }[];
  /** The version, in text that the stack itself compiles in; the first group is the version. */
  version: { start: string; pattern: RegExp } | null;
}

const common = {
  SSL_read: "read",
  SSL_write: "write",
  SSL_read_ex: "read-ex",
  SSL_write_ex: "write-ex",
  SSL_new: "new",
  SSL_free: "free",
  SSL_get_servername: "get-server-name",
} as const;

/** `libssl.so.3`, `libssl.so`, and wheels' `libssl-2a4b1c.so.1.1`; but not NSS's libssl3.so. */
const libssl = /^libssl(?:-[0-9a-f]+)?\.so/;

/** `OpenSSL 3.0.19 27 Jan 2026`: with its date it is the library's own text, not a range that somebody supports. */
const opensslVersion = {
  start: "OpenSSL ",
  pattern: /^OpenSSL (\d+\.\d+\.\d+\S*) +\d{1,2} [A-Z][a-z]{2} \d{4}/,
};

/**
 * In order: where two rows could both claim a file, the earlier has the stronger marker. Symbols decide and text does
 * not, for a BoringSSL contains "OpenSSL 1.1.1" and Node's JavaScript contains "BoringSSL".
 */
export const stackRows: readonly StackRow[] = [
  {
    stack: "boringssl",
    library: libssl,
    markers: [
      "SSL_CTX_set_early_data_enabled",
      "SSL_CTX_set_custom_verify",
      "SSL_CTX_set_grease_enabled",
      "SSL_set_custom_verify",
      "SSL_set_tlsext_host_name",
    ],
    plaintext: ["SSL_read", "SSL_write"],
    functions: { ...common, SSL_set_tlsext_host_name: "set-server-name" },
    traces: [{ start: "ssl/ssl_lib.cc", pattern: /^ssl\/ssl_lib\.cc$/ }],
    version: null,
  },
  {
    stack: "libressl",
    library: libssl,
    markers: ["SSL_CTX_load_verify_mem", "SSL_CTX_use_certificate_chain_mem"],
    plaintext: ["SSL_read", "SSL_write"],
    functions: { ...common, SSL_ctrl: "ctrl-server-name" },
    traces: [],
    version: { start: "LibreSSL ", pattern: /^LibreSSL (\d+\.\d+\.\d+)/ },
  },
  {
    stack: "openssl",
    library: libssl,
    markers: ["SSL_CTX_new_ex", "SSL_ctrl", "SSL_get_all_async_fds", "ssl_read_internal"],
    plaintext: ["SSL_read", "SSL_write"],
    functions: { ...common, SSL_ctrl: "ctrl-server-name" },
    traces: [{ start: "ssl/ssl_lib.c", pattern: /^ssl\/ssl_lib\.c$/ }],
    version: opensslVersion,
  },
  {
    stack: "gnutls",
    library: /^libgnutls(?:-[0-9a-f]+)?\.so/,
    markers: ["gnutls_record_send"],
    plaintext: ["gnutls_record_send", "gnutls_record_recv"],
    // gnutls_record_send enters gnutls_record_send2, which is also called alone: the outer call counts.
    functions: {
      gnutls_record_recv: "read",
      gnutls_record_send: "write",
      gnutls_record_send2: "write",
      gnutls_deinit: "free",
      gnutls_server_name_set: "typed-server-name",
    },
    traces: [],
    version: { start: "Enabled GnuTLS ", pattern: /^Enabled GnuTLS (\d+\.\d+\.\d+)/ },
  },
  {
    stack: "nss",
    // libnss3 alone is no TLS: Chromium uses it for certificates. Firefox folds all of NSS into it.
    library: /^lib(?:ssl3|nss3)\.so/,
    markers: ["SSL_ImportFD"],
    plaintext: ["SSL_ImportFD"],
    functions: { SSL_ImportFD: "new", SSL_SetURL: "set-server-name" },
    // NSPR, which Firefox folds into libnss3, too. What layers call below TLS are methods, not these functions again.
    boundary: {
      library: /^lib(?:nspr4|nss3)\.so/,
      plaintext: ["PR_Read", "PR_Write"],
      functions: {
        PR_Read: "read-known",
        PR_Recv: "receive-known",
        PR_Write: "write-known",
        PR_Send: "write-known",
        PR_Accept: "new-known",
        PR_Close: "free",
      },
    },
    traces: [],
    version: { start: "Version: NSS ", pattern: /^Version: NSS (\d+\.\d+(?:\.\d+)?)/ },
  },
  {
    stack: "mbedtls",
    library: /^libmbedtls(?:-[0-9a-f]+)?\.so/,
    markers: ["mbedtls_ssl_write"],
    plaintext: ["mbedtls_ssl_read", "mbedtls_ssl_write"],
    functions: {
      mbedtls_ssl_read: "read",
      mbedtls_ssl_write: "write",
      mbedtls_ssl_free: "free",
      mbedtls_ssl_set_hostname: "set-server-name",
    },
    traces: [],
    version: null,
  },
  {
    stack: "wolfssl",
    library: /^libwolfssl(?:-[0-9a-f]+)?\.so/,
    markers: ["wolfSSL_write"],
    plaintext: ["wolfSSL_read", "wolfSSL_write"],
    functions: {
      wolfSSL_read: "read",
      wolfSSL_write: "write",
      wolfSSL_new: "new",
      wolfSSL_free: "free",
      wolfSSL_set_tlsext_host_name: "set-server-name",
    },
    traces: [],
    version: null,
  },
  {
    stack: "rustls",
    library: /^librustls[\w-]*\.so/,
    markers: [],
    plaintext: [],
    functions: {},
    // The path of its sources in the messages of its panics, as cargo and as Bazel build it; tokio-rustls is another.
    traces: [
      { start: "/rustls-0.", pattern: /^\/rustls-(0\.\d+\.\d+)\/src/ },
      { start: "__rustls-0.", pattern: /^__rustls-(0\.\d+\.\d+)\/src/ },
    ],
    version: null,
  },
];

/** The library that holds OpenSSL's version text beside a libssl. */
const libcrypto = /^libcrypto(?:-[0-9a-f]+)?\.so/;

/** What kind of library a base name says it is; null for one whose name says nothing. */
export function libraryKind(baseName: string): "stack" | "boundary" | "crypto" | null {
  if (stackRows.some((row) => row.library?.test(baseName) === true)) return "stack";
  if (stackRows.some((row) => row.boundary?.library.test(baseName) === true)) return "boundary";
  return libcrypto.test(baseName) ? "crypto" : null;
}

/** `libarrow.so.2600`, `_rust.abi3.so`, `grpc.node`: what a dynamic linker loads, under any name. */
const module = /\.(?:so|node)(?:\.[\w.]+)?$/;
/** The system's own, which every process maps and which have no TLS. */
const systemLibrary = /^(?:ld-linux[\w-]*|libc|libm|libstdc\+\+|libicu\w+)\.so/;
/** Less code than any whole TLS stack: OpenSSL, BoringSSL and rustls have a megabyte and more. */
const leastCodeBytes = 512 * 1024;

/** Whether a library whose name says nothing may have a stack linked in, as wheels, addons and JNI libraries have. */
export function mayCarryStack(baseName: string, codeBytes: number): boolean {
  return codeBytes >= leastCodeBytes && module.test(baseName) && !systemLibrary.test(baseName);
}
