// A client in Node: signs in, then orders and looks at its orders, over one kept-alive HTTPS connection.
// node client.mjs https://localhost:PORT [seconds]
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

const [base, seconds = "10"] = process.argv.slice(2);
// The sample's certificate is made at each start; a real program verifies.
const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false });

/** @param {string} method @param {string} path @param {object} [body] @param {object} [headers] */
function send(method, path, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = https.request(new URL(path, base), { method, agent, headers }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve(JSON.parse(text)));
    });
    request.on("error", reject);
    request.end(body && JSON.stringify(body));
  });
}

const end = Date.now() + Number(seconds) * 1000;
try {
  const { token } = await send("POST", "/login", { user: "ada", password: "correct horse" });
  const authorization = `Bearer ${token}`;
  while (Date.now() < end) {
    const order = await send("POST", "/orders", { item: "teapot", quantity: 2 }, { authorization });
    await send("GET", `/orders/${order.id}?token=${token}`, undefined, { authorization });
    await sleep(400);
  }
} catch (error) {
  if (error.code !== "ECONNREFUSED" && error.code !== "ECONNRESET") throw error; // the service has gone
}
agent.destroy();
