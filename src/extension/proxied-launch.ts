// A debug configuration with more in its environment, as its debugger takes it. Pure.

/** The members of a launch.json configuration that matter here. */
export interface Launch {
  type: string;
  request: string;
  name: string;
  [member: string]: unknown;
}

/** Those of js-debug, debugpy, Go, Java, CodeLLDB and others are an object, those of cppdbg a list. */
const listed = new Set(["cppdbg", "cppvsdbg"]);

/** Whether the program is started by the configuration, and so can be given an environment. */
export function isLaunch(configuration: { request?: unknown }): boolean {
  return configuration.request === "launch";
}

/** What the configuration itself gives to its program; null values, which remove a variable, are left out. */
export function variablesOf(configuration: Launch): Record<string, string> {
  const { env, environment } = configuration;
  const entries = listed.has(configuration.type)
    ? asList(environment).map(({ name, value }): [unknown, unknown] => [name, value])
    : Object.entries(isRecord(env) ? env : {});
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry.every((part) => typeof part === "string")),
  );
}

/** The configuration with these variables; they stand in place of its own of the same name. */
export function withVariables(configuration: Launch, variables: Record<string, string>): Launch {
  if (!listed.has(configuration.type)) {
    const { env } = configuration;
    return { ...configuration, env: { ...(isRecord(env) ? env : {}), ...variables } };
  }
  const kept = asList(configuration.environment).filter(
    ({ name }) => !Object.hasOwn(variables, String(name)),
  );
  const added = Object.entries(variables).map(([name, value]) => ({ name, value }));
  return { ...configuration, environment: [...kept, ...added] };
}

function asList(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
