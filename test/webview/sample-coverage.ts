// A host as large as real ones are: services, containers, alike workers, every verdict, and names chosen by a stranger.
import { reportWith } from "../../src/analyzer/coverage/measurement.ts";
import type { CoverageReport, Measurement, ProcessReport } from "../../src/protocol/coverage.ts";
import { hostile, java, node, reportOf } from "../analyzer/report/sample-report.ts";

const since = "2026-01-31T12:00:00.000Z";
const measured = (
  state: Measurement["state"],
  connections: number,
  bytes: number,
): Partial<ProcessReport> => ({
  basis: state === "not-exercised" ? "predicted" : "measured",
  measured: { connections, decrypted: state === "confirmed" ? connections : 0, bytes, since, state },
});

const nginx: ProcessReport = {
  ...node,
  command: "nginx",
  arguments: ["nginx: worker process"],
  executable: "/usr/sbin/nginx",
  user: "www-data",
  service: "nginx.service",
  class: "dynamic-openssl",
  runtime: null,
  ...measured("confirmed", 214, 1_904_113),
};
const envoy: ProcessReport = {
  ...node,
  pid: 912,
  command: "envoy",
  arguments: ["envoy", "-c", "/etc/envoy.yaml"],
  executable: "/usr/local/bin/envoy",
  service: null,
  container: "4f0c9a1d77e2b3a8",
  class: "static-boringssl",
  runtime: null,
  verdict: "dark",
  reason: {
    code: "no-symbols",
    text: "BoringSSL without symbols needs a search by structure, which a later version brings",
  },
  probes: [],
};
const worker: ProcessReport = {
  ...node,
  pid: 5151,
  command: "python3",
  arguments: ["python3", "/srv/billing/worker.py"],
  service: "billing.service",
  class: "dynamic-openssl",
  runtime: "python",
  ...measured("silent", 2, 0),
  verdict: "dark",
  reason: {
    code: "silent",
    text: "probes are attached and 2 TLS connections were in use (port 443), yet no plaintext was seen",
  },
};
const erlang: ProcessReport = {
  ...java,
  pid: 640,
  command: "beam.smp",
  service: "rabbitmq-server.service",
  class: "unknown",
  verdict: "unknown",
  path: "mitm",
  reason: {
    code: "tls-in-language",
    text: "Erlang's TLS is written in Erlang, so no library shows whether it is used",
  },
};
const proxied: ProcessReport = {
  ...java,
  pid: 641,
  command: "vault",
  service: null,
  user: "vault",
  verdict: "proxy",
  path: "mitm",
};
const named: ProcessReport = {
  ...java,
  pid: 642,
  command: "agent",
  service: null,
  user: "vault",
  verdict: "metadata",
  path: "xdp",
};

/** What must never become an element, an attribute or a script. */
export const attack = `</script><script>window.attacked = 1</script>"><img src=x onerror="window.attacked=1">`;
const attacker: ProcessReport = {
  ...hostile,
  command: attack,
  arguments: [attack, "</style><!--<script>"],
  service: `'"><svg onload=window.attacked=1>.service`,
  user: attack,
};

const plain: ProcessReport = {
  ...node,
  pid: 1,
  command: "systemd",
  arguments: ["/sbin/init"],
  class: "no-tls",
  runtime: null,
  stacks: [],
  verdict: "no-tls",
  path: "none",
  service: "init.scope",
  reason: { code: "no-tls-library", text: "it maps no known TLS library, and its executable carries none" },
};

export const sampleCoverage: CoverageReport = reportWith(
  reportOf(
    [
      plain,
      ...[801, 802, 803, 804].map((pid) => ({ ...nginx, pid })),
      { ...node, ...measured("confirmed", 12, 48_211) },
      { ...node, pid: 4300, arguments: ["node", "/srv/shop/mailer.js"], ...measured("not-exercised", 0, 0) },
      worker,
      java,
      envoy,
      erlang,
      proxied,
      named,
      attacker,
    ],
    [
      {
        pid: 77,
        reason: { code: "not-readable", text: "what it has mapped may be read by root only; use sudo" },
      },
    ],
  ),
  [],
);
