// A small HTTPS service in a workspace of its own, ready to be debugged, and a client that sends it known requests.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";

const service = `// The shop's API: orders in memory, served over TLS.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

const orders = [{ id: 7, item: "kettle", quantity: 1 }];

const options = { key: readFileSync("key.pem"), cert: readFileSync("cert.pem") };

createServer(options, async (request, response) => {
  const url = new URL(request.url, "https://localhost");
  if (url.pathname !== "/orders") return reply(response, 404, { error: "no such page" });
  if (request.method === "GET") return reply(response, 200, orders);

  let body = "";
  for await (const chunk of request) body += chunk;
  const order = { id: orders.length + 7, ...JSON.parse(body) };
  orders.push(order);
  reply(response, 201, order);
}).listen(Number(process.env.PORT), "127.0.0.1");

function reply(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
`;

export interface Shop {
  folder: string;
  /** Sends a request, once the service answers; gives the status. */
  send(method: string, path: string, body?: unknown): Promise<number>;
  /** Sends this many requests over twenty connections, as fast as it can. */
  burst(count: number): Promise<void>;
  /** Runs the service outside the debugger; `stop` ends it. */
  run(): { pid: number; stop(): void };
  remove(): void;
}

/** Makes the workspace: the service, its certificate and a launch configuration. */
export function makeShop(port: number): Shop {
  const parent = mkdtempSync(join(tmpdir(), "plainsight-workspace-"));
  const folder = join(parent, "shop");
  mkdirSync(join(folder, ".vscode"), { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(folder, "api.js"), service);
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  execFileSync("openssl", ["req", "-x509", ...key, ...files, "-days", "2", ...subject], { stdio: "pipe" });
  const launch = {
    version: "0.2.0",
    configurations: [
      {
        type: "node",
        request: "launch",
        name: "Shop API",
        program: "${workspaceFolder}/api.js",
        cwd: "${workspaceFolder}",
        runtimeExecutable: process.execPath,
        console: "internalConsole",
        env: { PORT: String(port) },
      },
    ],
  };
  writeFileSync(join(folder, ".vscode/launch.json"), JSON.stringify(launch, null, 2));
  const ca = readFileSync(join(folder, "cert.pem"));
  return {
    folder,
    send: (method, path, body) => send({ port, ca, method, path, body }),
    async burst(count) {
      const agent = new Agent({ keepAlive: true, maxSockets: 20 });
      const sending = Array.from({ length: count }, () =>
        send({ port, ca, method: "GET", path: "/orders", agent }),
      );
      await Promise.all(sending);
      agent.destroy();
    },
    run() {
      const running = spawn(process.execPath, [join(folder, "api.js")], {
        cwd: folder,
        env: { ...process.env, PORT: String(port) },
        stdio: "ignore",
      });
      return { pid: running.pid ?? 0, stop: () => running.kill() };
    },
    remove() {
      rmSync(parent, { recursive: true, force: true });
    },
  };
}

interface Sent {
  port: number;
  ca: Buffer;
  method: string;
  path: string;
  body?: unknown;
  /** A connection of its own when absent. */
  agent?: Agent;
}

function send({ port, ca, method, path, body, agent }: Sent): Promise<number> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      authorization: "Bearer not-for-your-eyes",
      ...(text !== undefined && {
        "content-type": "application/json",
        "content-length": String(text.length),
      }),
    };
    const options = {
      host: "127.0.0.1",
      servername: "localhost",
      port,
      ca,
      method,
      path,
      headers,
      agent: agent ?? false,
    };
    const sending = request(options, (response) => {
      response.resume();
      response.on("end", () => {
        resolve(response.statusCode ?? 0);
      });
    });
    sending.on("error", reject);
    sending.end(text);
  });
}
