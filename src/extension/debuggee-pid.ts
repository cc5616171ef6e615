// Finds the process that a debug session debugs: from the DAP `process` event, from what a JavaScript session evaluates
// to, or from its name. Pure: it reads what others received.

/** The session types of js-debug that debug a Node process; the others debug a browser. */
const nodeTypes = new Set(["pwa-node", "node", "node-terminal", "pwa-extensionHost", "extensionHost"]);

/**
 * Whether the pid must be asked for. js-debug never sends the `process` event, and only its child sessions have a
 * process; the root one would never answer.
 */
export function mustAskForPid(session: { type: string; isChild: boolean }): boolean {
  return session.isChild && nodeTypes.has(session.type);
}

/**
 * The pid in a message from a debug adapter, when it is the `process` event of a local process; else null.
 * https://microsoft.github.io/debug-adapter-protocol/specification#Events_Process
 */
export function pidOfAdapterMessage(message: unknown): number | null {
  if (!isRecord(message) || message.type !== "event" || message.event !== "process") return null;
  const { body } = message;
  if (!isRecord(body) || body.isLocalProcess === false) return null;
  return asPid(body.systemProcessId);
}

/** The pid in the answer to `evaluate` of `process.pid`, else null. */
export function pidOfEvaluation(answer: unknown): number | null {
  if (!isRecord(answer) || typeof answer.result !== "string" || !/^\d+$/.test(answer.result)) return null;
  return asPid(Number(answer.result));
}

/** The pid in a js-debug session's name, such as `api.js [8508]`, else null. */
export function pidOfName(name: string): number | null {
  return asPid(Number(/\[(\d+)\]/.exec(name)?.[1]));
}

function asPid(value: unknown): number | null {
  return typeof value === "number" && Number.isInteger(value) && value > 0 ? value : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
