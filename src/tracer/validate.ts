// Checks each request before the privileged process acts on it: what does not have exactly the shape of a
// TracerCall is refused with a reason.
import {
  isGoRole,
  isNameRule,
  probeRoles,
  probeSites,
  type ProbePlan,
  type ProbePoint,
  type ProbeRole,
  type TracerCall,
  type TracerRequest,
} from "./messages.ts";

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const isPid = (value: unknown): value is number => isCount(value) && value > 0 && value < 2 ** 31;
const isPort = (value: unknown): value is number => isCount(value) && value > 0 && value < 65_536;
const isText = (value: unknown): value is string => typeof value === "string" && !value.includes("\0");

function isPoint(value: unknown): value is ProbePoint {
  return (
    isFields(value) &&
    isText(value.function) &&
    isText(value.role) &&
    Object.hasOwn(probeRoles, value.role) &&
    isText(value.site) &&
    Object.hasOwn(probeSites, value.site) &&
    !(value.site === "return" && isGoRole(value.role as ProbeRole)) &&
    isCount(value.fileOffset) &&
    typeof value.frameBias === "number" &&
    Number.isInteger(value.frameBias) &&
    Math.abs(value.frameBias) < 2 ** 20 &&
    isText(value.expectedBytes) &&
    /^(?:[0-9a-f]{2}){1,64}$/.test(value.expectedBytes)
  );
}

function isPlan(value: unknown): value is ProbePlan {
  return (
    isFields(value) &&
    isPid(value.pid) &&
    isText(value.path) &&
    value.path.startsWith("/") &&
    (value.range === null || (isText(value.range) && /^[0-9a-f]+-[0-9a-f]+$/.test(value.range))) &&
    isCount(value.inode) &&
    isCount(value.file) &&
    value.file < 2 ** 24 &&
    (value.scope === "process" || value.scope === "file") &&
    Array.isArray(value.points) &&
    value.points.length > 0 &&
    value.points.length <= 4096 &&
    value.points.every(isPoint)
  );
}

const isPids = (value: unknown): value is number[] => Array.isArray(value) && value.every(isPid);

const isPlace = (value: unknown, end: "ingress" | "egress"): boolean =>
  value === null ||
  value === `tcx-${end}` ||
  value === `clsact-${end}` ||
  (end === "ingress" && (value === "xdp-native" || value === "xdp-generic"));

const requests: Record<TracerRequest["type"], (fields: Fields) => boolean> = {
  open: (fields) =>
    isCount(fields.ringBytes) &&
    fields.ringBytes >= 4096 &&
    fields.ringBytes <= 2 ** 30 &&
    Number.isInteger(Math.log2(fields.ringBytes)) &&
    isFields(fields.features) &&
    Object.values(fields.features).every((value) => typeof value === "boolean"),
  trace: ({ pids, followChildren, proxied }) =>
    isPids(pids) &&
    typeof followChildren === "boolean" &&
    (proxied === undefined || proxied === "always" || proxied === "program"),
  untrace: (fields) => isPids(fields.pids),
  attach: (fields) => isPlan(fields.plan),
  detach: (fields) => Array.isArray(fields.attachments) && fields.attachments.every(isCount),
  watch: (fields) => typeof fields.everyExec === "boolean",
  redirect: ({ pid, port, ipv6, holds }) =>
    isPid(pid) && isPort(port) && typeof ipv6 === "boolean" && typeof holds === "boolean",
  release: ({ pid, executable }) => isPid(pid) && isText(executable) && executable.startsWith("/"),
  redirected: (fields) => isPort(fields.port) && (fields.family === "ipv4" || fields.family === "ipv6"),
  direct: ({ original, milliseconds }) =>
    isText(original) && /^[0-9a-f]{56}$/.test(original) && isCount(milliseconds) && milliseconds <= 60_000,
  serve: ({ port, ipv6, ownPorts, pid, descriptors }) =>
    isPort(port) &&
    typeof ipv6 === "boolean" &&
    typeof ownPorts === "boolean" &&
    isPid(pid) &&
    isFields(descriptors) &&
    isCount(descriptors.ipv4) &&
    (descriptors.ipv6 === null || isCount(descriptors.ipv6)),
  "watch-network": ({ interfaces, places }) =>
    Array.isArray(interfaces) &&
    interfaces.length > 0 &&
    interfaces.length <= 4096 &&
    // IFNAMSIZ of linux/if.h, with its end.
    interfaces.every((name) => isText(name) && name.length > 0 && name.length < 16) &&
    isFields(places) &&
    isPlace(places.ingress, "ingress") &&
    isPlace(places.egress, "egress") &&
    typeof places.withTracer === "boolean",
  block: ({ names }) =>
    Array.isArray(names) &&
    names.length <= 200_000 &&
    names.every((name) => isText(name) && isNameRule(name)),
  judge: ({ ends, start, blocked }) =>
    isText(ends) &&
    /^[0-9a-f]{80}$/.test(ends) &&
    isCount(start) &&
    start < 2 ** 32 &&
    typeof blocked === "boolean",
  "reset-blocked": () => true,
  "tell-open": () => true,
  "tell-idle": ({ idleMs }) => isCount(idleMs) && idleMs > 0 && idleMs < 2 ** 32,
  flush: () => true,
};

/** The call, or null when it is not one. */
export function validCall(value: unknown): TracerCall | null {
  if (!isFields(value) || !isCount(value.id) || !isFields(value.request)) return null;
  const { type } = value.request;
  if (!isText(type) || !Object.hasOwn(requests, type)) return null;
  return requests[type as TracerRequest["type"]](value.request) ? (value as unknown as TracerCall) : null;
}
