// Serves the Live traffic view and its harness on loopback, under the content security policy that the extension sets.
// Tests start it; by hand: `node --import tsx test/webview/harness-server.ts`.
import { build } from "esbuild";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

export interface HarnessServer {
  url: string;
  close(): Promise<void>;
}

const webview = new URL("../../webview/", import.meta.url);
const entryPoints = ["live-traffic/main.ts", "live-traffic/live-traffic.css", "harness/harness.ts"];

/** Builds the view and listens on a free port of 127.0.0.1, or on the given one. */
export async function startHarness(port = 0): Promise<HarnessServer> {
  const { outputFiles } = await build({
    entryPoints: entryPoints.map((path) => fileURLToPath(new URL(path, webview))),
    outdir: "/",
    outbase: fileURLToPath(webview),
    bundle: true,
    format: "iife",
    target: "es2022",
    write: false,
  });
  const files = new Map(outputFiles.map((file) => [file.path, file.text]));
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://127.0.0.1").pathname;
    const nonce = randomBytes(16).toString("hex");
    const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'`;
    const file = files.get(path);
    if (path === "/") {
      response.writeHead(200, {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": policy,
      });
      response.end(page(nonce));
    } else if (file === undefined) {
      // Browsers ask for /favicon.ico by themselves; an answer without content is no error on their console.
      response.writeHead(204).end();
    } else {
      const type = path.endsWith(".css") ? "text/css" : "text/javascript";
      response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(file);
    }
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function page(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Live traffic</title>
<link rel="stylesheet" nonce="${nonce}" href="/live-traffic/live-traffic.css">
</head>
<body>
<div id="app"></div>
<script nonce="${nonce}" src="/harness/harness.js"></script>
<script nonce="${nonce}" src="/live-traffic/main.js"></script>
</body>
</html>`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startHarness(Number(process.argv[2] ?? 0));
  console.log(url);
}
