// Answers each HTTP/2 request with its own body: KEY, CERT and PORT come from the environment.
import { readFileSync } from "node:fs";
import http2 from "node:http2";

const { KEY = "", CERT = "", PORT } = process.env;
http2
  .createSecureServer({ key: readFileSync(KEY), cert: readFileSync(CERT) }, (request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk)).on("end", () => response.end(Buffer.concat(chunks)));
  })
  .listen(Number(PORT), "127.0.0.1");
