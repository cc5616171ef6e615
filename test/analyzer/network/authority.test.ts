// The authority and what programs are given to trust it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { X509Certificate } from "node:crypto";
import { openAuthority } from "../../../src/analyzer/network/authority.ts";
import { javaTrustStore } from "../../../src/analyzer/network/java-trust-store.ts";
import { stateFolder } from "../../../src/analyzer/network/state-folder.ts";
import { isTrusting, trustFor } from "../../../src/analyzer/network/trust-environment.ts";
import { certificate } from "./certificates.ts";
import { temporaryFolder } from "./proxy-rig.ts";

test("authority: is made once, and its key is the user's alone", async (t) => {
  const folder = join(temporaryFolder(t), "state");
  const openings = await Promise.all([1, 2, 3].map(() => openAuthority(folder)));
  const [first] = openings;
  assert.ok(first);
  assert.deepStrictEqual(new Set(openings.map((authority) => authority.certificate)).size, 1);
  assert.deepStrictEqual(readdirSync(folder), ["authority.pem"]);
  assert.deepStrictEqual(
    [statSync(folder).mode & 0o022, statSync(join(folder, "authority.pem")).mode & 0o777],
    [0, 0o600],
  );
  const made = new X509Certificate(first.certificate);
  assert.ok(made.ca && made.verify(made.publicKey));
  assert.doesNotMatch(first.certificate, /PRIVATE/);
});

test("authority: a key that others may read is refused", async (t) => {
  const folder = temporaryFolder(t);
  await openAuthority(folder);
  chmodSync(join(folder, "authority.pem"), 0o640);
  await assert.rejects(
    openAuthority(folder),
    /authority\.pem: others may read this key \(mode 640\): delete it/,
  );
});

test("authority: a file of another kind is refused", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "authority.pem"), "hello", { mode: 0o600 });
  await assert.rejects(openAuthority(folder), /authority\.pem: it has no certificate: delete it/);
});

test("authority: OpenSSL verifies what it issues", async (t) => {
  const folder = temporaryFolder(t);
  const authority = await openAuthority(folder);
  const real = await certificate({ commonName: "Ünïcode shop", dnsNames: ["a.example", "*.b.example"] });
  const issued = await authority.issue(new X509Certificate(real.cert).raw);
  writeFileSync(join(folder, "leaf.pem"), issued.chain);
  writeFileSync(join(folder, "ca.pem"), authority.certificate);
  const verify = ["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "x.b.example"];
  const said = execFileSync(
    "openssl",
    [...verify, "-CAfile", join(folder, "ca.pem"), join(folder, "leaf.pem")],
    {
      encoding: "utf8",
    },
  );
  assert.match(said, /OK/);
  const leaf = new X509Certificate(issued.chain);
  assert.equal(leaf.subject, new X509Certificate(real.cert).subject);
});

test("trust: each runtime's variable names a file of its roots and ours", async (t) => {
  const folder = temporaryFolder(t);
  const { certificate: ours } = await openAuthority(folder);
  const own = await certificate({ commonName: "Our company" });
  writeFileSync(join(folder, "company.pem"), own.cert);
  const given = {
    CURL_CA_BUNDLE: join(folder, "company.pem"),
    NODE_EXTRA_CA_CERTS: join(folder, "company.pem"),
    GIT_SSL_CAINFO: folder,
    JAVA_TOOL_OPTIONS: "-Xmx64m",
  };
  const { environment, roots } = trustFor(ours, given, join(folder, "trust"));
  const named = (variable: string) => readFileSync(environment[variable] ?? "", "utf8");
  const count = (text: string) => text.match(/BEGIN CERTIFICATE/g)?.length;
  assert.ok((count(named("SSL_CERT_FILE")) ?? 0) > 50 && named("SSL_CERT_FILE").endsWith(ours));
  for (const variable of ["CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS"]) {
    assert.equal(named(variable), `${own.cert.trimEnd()}\n${ours}`);
  }
  assert.equal(named("DENO_CERT").trim(), ours.trim());
  assert.equal(environment.GIT_SSL_CAINFO, undefined); // a folder stays what it is
  const trusting = { ...given, ...environment };
  assert.match(environment.JAVA_TOOL_OPTIONS ?? "", /^-Xmx64m -Djavax\.net\.ssl\.trustStore=\S+\.jks /);
  assert.ok(roots.includes(own.cert.trim()));
  assert.deepStrictEqual(
    [
      isTrusting(trusting, join(folder, "trust")),
      isTrusting(given, join(folder, "trust")),
      isTrusting({}, folder),
    ],
    [true, false, false],
  );
});

test("trust: options that name another Java trust store are left alone", async (t) => {
  const folder = temporaryFolder(t);
  const { certificate: ours } = await openAuthority(folder);
  const given = { JAVA_TOOL_OPTIONS: "-Djavax.net.ssl.trustStore=/mine" };
  assert.equal(trustFor(ours, given, join(folder, "trust")).environment.JAVA_TOOL_OPTIONS, undefined);
});

test("java trust store: begins and ends as JKS does", async () => {
  const { raw } = new X509Certificate((await certificate()).cert);
  const store = javaTrustStore([raw]);
  assert.equal(store.toString("hex", 0, 12), "feedfeed0000000200000001");
  assert.ok(store.includes(raw));
  assert.equal(store.length, 12 + 4 + 2 + "trusted-0".length + 8 + 2 + 5 + 4 + raw.length + 20);
});

test("state folder: by XDG_STATE_HOME where it is absolute", () => {
  assert.equal(stateFolder({ XDG_STATE_HOME: "/var/me" }), "/var/me/plainsight");
  for (const XDG_STATE_HOME of ["", "relative"]) {
    assert.match(stateFolder({ XDG_STATE_HOME }), /\/\.local\/state\/plainsight$/);
  }
});
