import assert from "node:assert/strict";
import { test } from "node:test";
import { analyseElf } from "../../../src/analyzer/stacks/analysis.ts";
import { libraryKind, mayCarryStack } from "../../../src/analyzer/stacks/table.ts";
import { elfOf } from "./elf-of.ts";
import type { StatedFile } from "./elf-of.ts";

const plain = ["SSL_read", "SSL_write"];
const openssl3 = [
  ...plain,
  "SSL_read_ex",
  "SSL_write_ex",
  "SSL_free",
  "SSL_ctrl",
  "SSL_get_servername",
  "SSL_CTX_new_ex",
];
const date = "27 Jan 2026";

/** What each file is said to carry, as `stack linkage version symbols number-of-functions`. */
const files: [about: string, name: string, file: StatedFile, expected: string[]][] = [
  [
    "OpenSSL 3 as a library, its version by its symbol versions",
    "libssl.so.3",
    { dynsym: openssl3, version: "OPENSSL_3.0.0" },
    ["openssl dynamic 3 dynsym 7"],
  ],
  [
    "OpenSSL 1.1 as a library",
    "libssl.so.1.1",
    { dynsym: [...plain, "SSL_ctrl"], version: "OPENSSL_1_1_0" },
    ["openssl dynamic 1.1 dynsym 3"],
  ],
  [
    "OpenSSL in a wheel",
    "libssl-3e69114b.so.1.1",
    { dynsym: [...plain, "SSL_ctrl"] },
    ["openssl dynamic null dynsym 3"],
  ],
  [
    "OpenSSL linked in, with the version text beside its symbols",
    "app",
    { symtab: openssl3, texts: [`OpenSSL 3.0.19 ${date}`] },
    ["openssl static 3.0.19 symtab 7"],
  ],
  [
    "a pre-release",
    "app",
    { symtab: openssl3, texts: [`OpenSSL 3.5.0-beta1 ${date}`] },
    ["openssl static 3.5.0-beta1 symtab 7"],
  ],
  [
    "a range of supported versions, which is no version",
    "app",
    { symtab: openssl3, texts: ["OpenSSL 1.1.1 or later is needed"] },
    ["openssl static 3 symtab 7"],
  ],
  [
    "BoringSSL by its functions, though it says OpenSSL",
    "workerd",
    { symtab: [...plain, "SSL_free", "SSL_set_tlsext_host_name"], texts: ["OpenSSL 1.1.1w  11 Sep 2023"] },
    ["boringssl static null symtab 4"],
  ],
  [
    "BoringSSL as a library",
    "libssl.so",
    { dynsym: [...plain, "SSL_CTX_set_early_data_enabled"] },
    ["boringssl dynamic null dynsym 2"],
  ],
  [
    "BoringSSL without symbols, by the name of its source",
    "bun",
    { dynsym: ["napi_create_object"], texts: ["OpenSSL 1.1.0 (compatible)", "../src/ssl/ssl_lib.cc"] },
    ["boringssl static null none 0"],
  ],
  [
    "OpenSSL without symbols, by the name of its source",
    "app",
    { texts: ["ssl/ssl_lib.c"] },
    ["openssl static null none 0"],
  ],
  [
    "LibreSSL, whose functions are also OpenSSL's",
    "libssl.so.53",
    { dynsym: [...plain, "SSL_ctrl", "SSL_read_ex", "SSL_CTX_load_verify_mem"] },
    ["libressl dynamic null dynsym 4"],
  ],
  [
    "Node, whose JavaScript speaks of BoringSSL",
    "node",
    { dynsym: [...openssl3, "_ZN4node5StartEiPPc"], texts: [`OpenSSL 3.0.19 ${date}`, "BoringSSL"] },
    ["openssl static 3.0.19 dynsym 7", "runtime node"],
  ],
  [
    "Electron, which is Node on BoringSSL, and no node",
    "code",
    { dynsym: [...plain, "SSL_CTX_set_grease_enabled", "_ZN4node5StartEiPPc"] },
    ["boringssl static null dynsym 2"],
  ],
  [
    "GnuTLS",
    "libgnutls.so.30",
    {
      dynsym: ["gnutls_record_send", "gnutls_record_recv"],
      texts: ["Enabled GnuTLS 3.7.9 logging..."],
    },
    ["gnutls dynamic 3.7.9 dynsym 2"],
  ],
  [
    "GnuTLS's imitation of OpenSSL, which carries nothing itself",
    "libgnutls-openssl.so.27",
    { dynsym: plain },
    [],
  ],
  [
    "NSS, with its version",
    "libssl3.so",
    { dynsym: ["SSL_ImportFD", "SSL_SetURL"], texts: ["Version: NSS 3.87.1"] },
    ["nss dynamic 3.87.1 dynsym 2"],
  ],
  [
    "NSPR: where another file's stack speaks, and no stack itself",
    "libnspr4.so",
    { dynsym: ["PR_Read", "PR_Write", "PR_Send", "PR_Close"] },
    ["boundary of nss 4"],
  ],
  [
    "Firefox's library, which has both",
    "libnss3.so",
    { dynsym: ["SSL_ImportFD", "PR_Read", "PR_Write"] },
    ["nss dynamic null dynsym 1", "boundary of nss 2"],
  ],
  ["a library that happens to have NSPR's names", "libother.so", { dynsym: ["PR_Read", "PR_Write"] }, []],
  [
    "NSS's certificates alone, which are no TLS",
    "libnss3.so",
    { dynsym: ["CERT_DecodeCertFromPackage"] },
    [],
  ],
  [
    "Mbed TLS",
    "libmbedtls.so.14",
    { dynsym: ["mbedtls_ssl_read", "mbedtls_ssl_write"] },
    ["mbedtls dynamic null dynsym 2"],
  ],
  [
    "wolfSSL",
    "libwolfssl.so.35",
    { dynsym: ["wolfSSL_read", "wolfSSL_write"] },
    ["wolfssl dynamic null dynsym 2"],
  ],
  [
    "rustls by its panics, with its version",
    "deno",
    { texts: ["/root/.cargo/registry/src/index/rustls-0.23.40/src/conn.rs"] },
    ["rustls static 0.23.40 none 0"],
  ],
  [
    "rustls as Bazel builds it",
    "workerd",
    { texts: ["external/rules_rust++crate+crates_vendor__rustls-0.23.46/src/conn.rs"] },
    ["rustls static 0.23.46 none 0"],
  ],
  ["a crate that only has rustls in its name", "app", { texts: ["/src/tokio-rustls-0.26.1/src/lib.rs"] }, []],
  [
    "rustls beside OpenSSL",
    "rustup",
    { symtab: openssl3, texts: ["/rustls-0.23.37/src/conn.rs"] },
    ["openssl static 3 symtab 7", "rustls static 0.23.37 none 0"],
  ],
  [
    "Go with its own TLS",
    "app",
    {
      go: { version: "go1.26.8", pclntab: { fileOffset: 0x9000, size: 0x800 } },
      goTexts: ["crypto/tls.(*Conn).Read"],
    },
    ["go static 1.26.8 gopclntab 0", "runtime go"],
  ],
  [
    "Go that was stripped of its version",
    "esbuild",
    {
      go: { version: null, pclntab: { fileOffset: 0x9000, size: 0x800 } },
      goTexts: ["crypto/tls.(*Conn).Read"],
    },
    ["go static null gopclntab 0", "runtime go"],
  ],
  [
    "Go without TLS",
    "app",
    { go: { version: "go1.26.8", pclntab: { fileOffset: 0x9000, size: 0x800 } } },
    ["runtime go"],
  ],
  ["a JVM", "libjvm.so", { dynsym: ["JNI_CreateJavaVM"] }, ["jsse managed null none 0", "runtime jvm"]],
  [
    "OpenSSL for another architecture, without a function to probe",
    "libssl.so.3",
    { dynsym: openssl3, machine: "aarch64" },
    ["openssl dynamic 3 dynsym 0"],
  ],
  [
    "libcrypto: a version and no stack",
    "libcrypto.so.3",
    { texts: [`OpenSSL 3.0.19 ${date}`] },
    ["crypto 3.0.19"],
  ],
  ["names of another library that begin alike", "app", { symtab: plain }, []],
  ["nothing", "app", {}, []],
];
for (const [about, name, file, expected] of files) {
  test(`stacks: finds in a file: ${about}`, () => {
    const { stacks, boundary, runtime, cryptoVersion, problem } = analyseElf(elfOf(file), name);
    assert.equal(problem, null);
    assert.deepStrictEqual(
      [
        ...stacks.map(
          (it) => `${it.stack} ${it.linkage} ${String(it.version)} ${it.symbols} ${it.functions.length}`,
        ),
        ...(boundary === null ? [] : [`boundary of ${boundary.stack} ${boundary.functions.length}`]),
        ...(runtime === null ? [] : [`runtime ${runtime}`]),
        ...(cryptoVersion === null ? [] : [`crypto ${cryptoVersion}`]),
      ],
      expected,
    );
  });
}

test("stacks: gives each function its role, its file offset and its first bytes", () => {
  const { stacks } = analyseElf(elfOf({ dynsym: openssl3 }), "libssl.so.3");
  assert.deepStrictEqual(
    stacks[0]?.functions.map(({ name, role, fileOffset, bytes }) => [
      name,
      role,
      fileOffset,
      bytes.length,
      bytes[0],
    ]),
    [
      ["SSL_read", "read", 0x1000, 16, 0x10],
      ["SSL_write", "write", 0x1100, 16, 0x11],
      ["SSL_read_ex", "read-ex", 0x1200, 16, 0x12],
      ["SSL_write_ex", "write-ex", 0x1300, 16, 0x13],
      ["SSL_free", "free", 0x1400, 16, 0x14],
      ["SSL_get_servername", "get-server-name", 0x1600, 16, 0x16],
      ["SSL_ctrl", "ctrl-server-name", 0x1500, 16, 0x15],
    ],
  );
});

test("stacks: tells in which table, where and with which version each name was found", () => {
  const { stacks } = analyseElf(
    elfOf({ dynsym: ["SSL_read"], symtab: ["SSL_write", "SSL_ctrl"], version: "V" }),
    "app",
  );
  const [{ evidence, symbols } = {}] = stacks;
  assert.deepStrictEqual(
    { evidence, symbols },
    {
      evidence: [
        "SSL_read in .dynsym at 0x401000 (V)",
        "SSL_write in .symtab at 0x401100 (V)",
        "SSL_ctrl in .symtab at 0x401200 (V)",
      ],
      symbols: "symtab",
    },
  );
});

test("stacks: says why a file that is no ELF file was not understood", () => {
  const reading = { elf: null, notElf: { code: "not-elf", text: "no magic" } } as const;
  assert.deepStrictEqual(analyseElf(reading, "app"), {
    stacks: [],
    boundary: null,
    runtime: null,
    cryptoVersion: null,
    problem: "no magic",
    debugFile: null,
  });
});

const kinds: [name: string, kind: ReturnType<typeof libraryKind>][] = [
  ["libssl.so.3", "stack"],
  ["libssl3.so", "stack"],
  ["libssl-3e69114b.so.1.1", "stack"],
  ["libsslcommon.so", null],
  ["libgnutls.so.30", "stack"],
  ["libgnutls-openssl.so.27", null],
  ["libnspr4.so", "boundary"],
  ["libcrypto.so.3", "crypto"],
  ["libcrypto_test.so", null],
  ["_rust.abi3.so", null],
  ["", null],
];
for (const [name, kind] of kinds) {
  test(`stacks: ${JSON.stringify(name)} is ${kind === null ? "not known by its name" : `known as ${kind}`}`, () => {
    assert.equal(libraryKind(name), kind);
  });
}

const modules: [name: string, codeKibibytes: number, may: boolean][] = [
  ["_rust.abi3.so", 7594, true],
  ["libio_grpc_netty_shaded_netty_tcnative_linux_x86_6412345.so", 1300, true],
  ["cygrpc.cpython-311-x86_64-linux-gnu.so", 7000, true],
  ["libjvm.so", 13640, true],
  ["libarrow.so.2600.1.0", 27468, true],
  ["libz.so.1.2.13t", 512, true],
  ["addon.node", 2000, true],
  ["libz.so.1.2.13", 511, false],
  ["libc.so.6", 1500, false],
  ["libicui18n.so.72", 2000, false],
  ["libicudata.so.72", 2000, false],
  ["System.Private.CoreLib.dll", 9000, false],
  ["memfd:doublemapper", 9000, false],
  ["card0", 9000, false],
];
for (const [name, codeKibibytes, may] of modules) {
  test(`stacks: ${name} with ${codeKibibytes} KiB of code ${may ? "may" : "cannot"} have a stack linked in`, () => {
    assert.equal(mayCarryStack(name, codeKibibytes * 1024), may);
  });
}
