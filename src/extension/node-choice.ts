// Picks the Node that runs the analyzer: the user's choice, else a recent enough one on PATH, else the editor's own
// executable playing Node. Pure: it is told what each candidate answers.

export interface NodeChoice {
  command: string;
  /** What to add to the environment. */
  env: Record<string, string>;
  /** Why this one, for the log. */
  why: string;
}

export interface NodeChoiceInput {
  /** The setting `plainsight.nodePath`; empty when unset. */
  configured: string;
  /** The variable PATH. */
  searchPath: string;
  /** The executable of the extension host: Node, or Electron, which runs as Node when told to. */
  editorExecutable: string;
  /** What `FILE --version` prints, or null when it cannot be run. */
  versionOf(file: string): Promise<string | null>;
}

/** The oldest Node that the analyzer runs on. */
const leastMajor = 20;

/** Rejects when the configured Node cannot be used: a choice the user made is not replaced in silence. */
export async function chooseNode(input: NodeChoiceInput): Promise<NodeChoice> {
  const configured = input.configured.trim();
  if (configured !== "") {
    const version = await input.versionOf(configured);
    const problem = version === null ? "it cannot be run" : isRecent(version) ? null : `it is ${version}`;
    if (problem !== null) {
      throw new Error(
        `plainsight.nodePath: ${configured}: ${problem}; Node ${leastMajor} or later is needed`,
      );
    }
    return { command: configured, env: {}, why: "the setting plainsight.nodePath" };
  }
  for (const folder of new Set(input.searchPath.split(":"))) {
    if (!folder.startsWith("/")) continue;
    const file = `${folder.replace(/\/+$/, "")}/node`;
    const version = await input.versionOf(file);
    if (version !== null && isRecent(version)) return { command: file, env: {}, why: `${version} on PATH` };
  }
  return {
    command: input.editorExecutable,
    env: { ELECTRON_RUN_AS_NODE: "1" },
    why: "the editor's own, as Node",
  };
}

function isRecent(version: string): boolean {
  const major = /^v(\d+)\./.exec(version.trim())?.[1];
  return major !== undefined && Number(major) >= leastMajor;
}
