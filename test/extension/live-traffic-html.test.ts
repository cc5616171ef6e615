import assert from "node:assert/strict";
import { test } from "node:test";
import { liveTrafficHtml } from "../../src/extension/live-traffic-html.ts";

const html = liveTrafficHtml({
  cspSource: "https://webview.test",
  nonce: "n0nce",
  scriptUri: 'https://webview.test/live-traffic.js?a="b"&c',
  styleUri: "https://webview.test/live-traffic.css",
});

test("html: the policy allows one script by its nonce, the extension's styles, and nothing else", () => {
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1];
  assert.deepStrictEqual(policy?.split("; "), [
    "default-src 'none'",
    "style-src https://webview.test",
    "font-src https://webview.test",
    "script-src 'nonce-n0nce'",
  ]);
});

test("html: the script carries the nonce, and addresses cannot leave their attribute", () => {
  assert.deepStrictEqual(
    [...html.matchAll(/<script[^>]*>/g)].map(([tag]) => tag),
    ['<script nonce="n0nce" src="https://webview.test/live-traffic.js?a=&quot;b&quot;&amp;c">'],
  );
});
