import assert from "node:assert/strict";
import { test } from "node:test";
import { isLaunch, variablesOf, withVariables } from "../../src/extension/proxied-launch.ts";

const node = {
  type: "node",
  request: "launch",
  name: "API",
  env: { PORT: "1", GONE: null, NODE_EXTRA_CA_CERTS: "mine" },
};
const native = {
  type: "cppdbg",
  request: "launch",
  name: "api",
  environment: [{ name: "PORT", value: "1" }, { name: "SSL_CERT_FILE", value: "mine" }, "nonsense"],
};

test("proxied launch: only what is launched can be given an environment", () => {
  assert.deepStrictEqual(
    [isLaunch(node), isLaunch({ request: "attach" }), isLaunch({})],
    [true, false, false],
  );
});

test("proxied launch: knows what a configuration gives to its program", () => {
  assert.deepStrictEqual(variablesOf(node), { PORT: "1", NODE_EXTRA_CA_CERTS: "mine" });
  assert.deepStrictEqual(variablesOf(native), { PORT: "1", SSL_CERT_FILE: "mine" });
  assert.deepStrictEqual(variablesOf({ type: "java", request: "launch", name: "x", env: "?" }), {});
});

test("proxied launch: adds variables as the debugger takes them, and changes nothing else", () => {
  assert.deepStrictEqual(withVariables(node, { NODE_EXTRA_CA_CERTS: "both" }), {
    ...node,
    env: { PORT: "1", GONE: null, NODE_EXTRA_CA_CERTS: "both" },
  });
  assert.deepStrictEqual(withVariables(native, { SSL_CERT_FILE: "both" }).environment, [
    { name: "PORT", value: "1" },
    { name: "SSL_CERT_FILE", value: "both" },
  ]);
});
