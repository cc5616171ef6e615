// A watch of the network in a process of its own, so that it can be in another network namespace than the tests. Its
// options come as JSON; what it sees goes out a line each. It ends with its input.
import { openHelloSession, type HelloSessionOptions } from "../../src/analyzer/network/hello-session.ts";

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

const session = await openHelloSession({
  interfaces: null,
  ...(JSON.parse(process.argv[2] ?? "{}") as Partial<HelloSessionOptions>),
  onEvent: say,
  onInterfaces: (change) => {
    say({ type: "interfaces", ...change });
  },
  onEnded: (problem) => {
    say({ type: "ended", problem });
  },
});
say({ type: "watching", interfaces: session.interfaces, missing: session.missing });
process.stdin.resume().once("end", () => {
  void session.close().then(say);
});
