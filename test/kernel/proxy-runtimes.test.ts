// Programs of every kind through the proxy, those among them that no probe reaches: a megabyte each way, byte for byte.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runtimes } from "../../scripts/runtimes.mjs";
import { openShop, traceByProxy } from "./proxy-run.ts";
import { fixtures, skipReason } from "./rig.ts";

interface Runtime {
  name: string;
  needs: string[];
  protocol: "h2" | "http/1.1";
  /** The command for this URL and this file. @param folder of the test */
  command: (url: string, file: string, folder: string) => string[];
}

const fixture = (name: string) => join(fixtures, name);

const cases: Runtime[] = [
  {
    name: "curl",
    needs: ["curl"],
    protocol: "h2",
    command: (url, file) => [
      "sh",
      "-c",
      `curl -sS --data-binary @${file} ${url} | cmp - ${file} && echo true`,
    ],
  },
  {
    name: "python3",
    needs: ["python3"],
    protocol: "http/1.1",
    command: (url, file) => ["python3", fixture("ask.py"), url, file],
  },
  {
    name: "node",
    needs: ["node"],
    protocol: "http/1.1",
    command: (url, file) => ["node", fixture("ask.mjs"), url, file],
  },
  {
    name: "java",
    needs: ["java", "javac"],
    protocol: "h2",
    command: (url, file, folder) => {
      execFileSync("javac", ["-d", folder, fixture("Ask.java")], { stdio: "inherit" });
      return ["java", "-XX:TieredStopAtLevel=1", "-cp", folder, "Ask", url, file];
    },
  },
  {
    name: "go-ask",
    needs: ["go"],
    protocol: "h2",
    command: (url, file, folder) => {
      const environment = {
        ...process.env,
        GOENV: "off",
        GOFLAGS: "",
        GOTOOLCHAIN: "local",
        CGO_ENABLED: "0",
      };
      const program = join(folder, "go-ask");
      execFileSync("go", ["build", "-ldflags", "-s -w", "-o", program, "."], {
        cwd: fixture("go-ask"),
        env: environment,
        stdio: "inherit",
      });
      return [program, url, file];
    },
  },
  {
    name: "bun",
    needs: [runtimes.bun],
    protocol: "http/1.1",
    command: (url, file) => [runtimes.bun, fixture("ask.mjs"), url, file],
  },
  {
    name: "deno",
    needs: [runtimes.deno],
    protocol: "h2",
    command: (url, file) => [runtimes.deno, "run", "--allow-all", fixture("ask.mjs"), url, file],
  },
];

for (const { name, needs, protocol, command } of cases) {
  const skip = skipReason(...needs.filter((program) => !existsSync(program)));
  test(`proxy: ${name}, a megabyte each way`, { skip }, async (t) => {
    const shop = await openShop(t);
    const body = Array.from({ length: 100_000 }, (_, line) => `line ${line}\n`)
      .join("")
      .slice(0, 1024 * 1024);
    const file = join(shop.folder, "body");
    writeFileSync(file, body);
    const url = `https://localhost:${shop.port}/echo`;
    const args = ["--body-limit", "2MiB", "--", ...command(url, file, shop.folder)];
    const run = traceByProxy(t, shop.environment, args);
    assert.equal(await run.ended, 0, run.said());
    assert.match(run.said(), /^true$/m);
    assert.deepStrictEqual(
      run.exchanges().map((exchange) => ({
        command: exchange.command,
        protocol: exchange.protocol,
        // Not the megabytes themselves: a difference would print them.
        sentIntact: exchange.request?.body?.text === body,
        receivedIntact: exchange.response?.body?.text === body,
        status: exchange.response?.status,
      })),
      [{ command: name, protocol, sentIntact: true, receivedIntact: true, status: 200 }],
    );
  });
}
