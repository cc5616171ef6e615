import assert from "node:assert/strict";
import { test } from "node:test";
import { stacksText } from "../../src/extension/stack-names.ts";

test("stack names: stacks are named once, with their versions", () => {
  assert.equal(
    stacksText([
      { stack: "openssl", version: "3.0.19" },
      { stack: "openssl", version: "3.0.19" },
      { stack: "gnutls", version: null },
    ]),
    "OpenSSL 3.0.19 and GnuTLS",
  );
});
