// A throw-away certificate for localhost, made by openssl at each start: nothing secret is kept in the project.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** @returns {{ key: string, cert: string }} PEM texts, valid for a day. */
export function makeCertificate() {
  const folder = mkdtempSync(join(tmpdir(), "plainsight-demo-"));
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(folder, name));
  const names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
  const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  try {
    const rest = ["-days", "1", "-subj", "/CN=localhost", "-addext", names, "-keyout", key, "-out", cert];
    execFileSync("openssl", [...request, ...rest], { stdio: "ignore" });
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
