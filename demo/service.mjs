// The sample service: a small shop over HTTPS (HTTP/2, and HTTP/1.1 for those who ask for it) on a free port, or on
// PORT. It prints its address once it listens.
import { createSecureServer } from "node:http2";
import { makeCertificate } from "./certificate.mjs";

const orders = new Map([[1, { id: 1, item: "kettle", quantity: 1, state: "paid" }]]);

/** @param {import("node:http2").Http2ServerRequest} request */
async function readJson(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text === "" ? {} : JSON.parse(text);
}

/** What each route answers: [status, body, headers]. */
const routes = {
  "POST /login": (body) => [
    200,
    { user: body.user, token: "s3cr3t-t0ken" },
    { "set-cookie": "session=abc123; Secure" },
  ],
  "GET /orders": () => [200, [...orders.values()]],
  "POST /orders": (body) => {
    const order = { id: orders.size + 1, ...body, state: "new" };
    orders.set(order.id, order);
    return [201, order, { location: `/orders/${order.id}` }];
  },
};

const server = createSecureServer({ ...makeCertificate(), allowHTTP1: true }, (request, response) => {
  const { pathname } = new URL(request.url, "https://localhost");
  const id = /^\/orders\/(\d+)$/.exec(pathname)?.[1];
  readJson(request)
    .then((body) => {
      const order = orders.get(Number(id));
      if (id !== undefined) return order ? [200, order] : [404, { error: `there is no order ${id}` }];
      const route = routes[`${request.method} ${pathname}`];
      return route ? route(body) : [404, { error: `nothing at ${pathname}` }];
    })
    .catch((error) => [400, { error: error.message }])
    .then(([status, body, headers = {}]) => {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify(body));
    });
});

server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  console.log(`https://localhost:${server.address().port}`);
});
process.on("disconnect", () => process.exit(0));
