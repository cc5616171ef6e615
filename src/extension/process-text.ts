// How a process reads in the editor: its label, its one-line description and the evidence as Markdown. Pure, and the
// only place that words them, so that tree, picker and clipboard say the same.
import type { Measurement, ProcessReport } from "../protocol/coverage.ts";
import { isTracedInPart, reachText } from "./probe-reach.ts";
import { remedyOf } from "./remedies.ts";
import { baseName, stacksText } from "./stack-names.ts";

/** Interpreters whose script says more than they do. */
const interpreter = /^(node|nodejs|python[\d.]*|ruby[\d.]*|perl|php[\d.]*|deno|bun|java|tsx|ts-node)$/;

/** Options whose next argument is theirs, options that bring a program of their own, and options that name the script. */
const optionsWithValue =
  /^(-r|--require|--import|--loader|--experimental-loader|-C|--conditions|-W|-X|-cp|-classpath)$/;
const optionsWithCode = /^(-[cep]|-pe|--eval|--print)$/;
const optionsWithScript = /^(-m|-jar|--jar)$/;

/** The command, with the script where an interpreter runs one: `node api.js`. */
export function processLabel(process: Pick<ProcessReport, "command" | "arguments" | "executable">): string {
  const [first = ""] = process.arguments;
  const program = baseName(process.executable ?? first);
  // Programs may rename themselves (`nginx: worker process`): then the kernel's name is the better one.
  const name = process.command === "MainThread" ? program || process.command : process.command;
  if (!interpreter.test(program) && !interpreter.test(name)) return name;
  const script = scriptOf(process.arguments);
  return script === undefined ? name : `${name} ${baseName(script)}`;
}

function scriptOf(words: string[]): string | undefined {
  for (let at = 1; at < words.length; at++) {
    const word = words[at] ?? "";
    if (optionsWithCode.test(word)) return undefined;
    if (optionsWithScript.test(word)) return words[at + 1];
    if (optionsWithValue.test(word)) at += 1;
    else if (!word.startsWith("-")) return word;
  }
  return undefined;
}

/** One line: pid, class, stacks, reason. */
export function processDescription(process: ProcessReport): string {
  const parts = [String(process.pid), process.class, stacksText(process.stacks), process.reason.text];
  return parts.filter((part) => part !== "").join(" · ");
}

/** What was found and how it was judged, as Markdown in which nothing of the process's own text is markup. */
export function evidenceMarkdown(process: ProcessReport): string {
  const { verdict, basis, reason, measured } = process;
  const remedy = remedyOf(process);
  const facts: [string, string | null][] = [
    ["Class", process.class],
    ["Path", process.path],
    ["Measured", measured && measuredText(measured)],
    ["Executable", process.executable && code(process.executable)],
    ["User", process.user && escapeMarkdown(process.user)],
    ["Service", process.service && code(process.service)],
    ["Container", process.container && code(process.container.slice(0, 12))],
    ["Started", process.startedAt],
  ];
  const goal = isTracedInPart(process) ? "show the rest" : "make it traceable";
  const lines = [
    `**${escapeMarkdown(processLabel(process))}** (${process.pid})`,
    "",
    `${verdict}, ${basis}: ${escapeMarkdown(reason.text)}`,
    "",
    ...(remedy === null ? [] : [`What would ${goal}: ${escapeMarkdown(remedy.text)}.`, ""]),
    ...facts.flatMap(([name, text]) => (text ? [`- ${name}: ${text}`] : [])),
  ];
  for (const stack of process.stacks) {
    const where = stack.file ? ` in ${code(stack.file)}` : "";
    lines.push("", `**${escapeMarkdown(stacksText([stack]))}**, ${stack.linkage}${where}`, "");
    lines.push(...stack.evidence.map((text) => `- ${escapeMarkdown(text)}`));
    if (stack.buildId) lines.push(`- build id ${code(stack.buildId)}`);
  }
  if (process.probes.length > 0) {
    const functions = new Set(process.probes.map((probe) => code(probe.function)));
    const reach = isTracedInPart(process) ? ` show ${escapeMarkdown(reachText(process))}` : "";
    lines.push("", `Probes on ${[...functions].join(", ")}${reach}`);
  }
  return lines.join("\n");
}

/** What a screen reader says for a process in the tree. */
export function accessibleLabel(process: ProcessReport, isTraced: boolean): string {
  const traced = isTraced ? ", being traced" : "";
  const stacks = stacksText(process.stacks);
  return `${processLabel(process)}, process ${process.pid}${traced}, ${process.verdict}${stacks && `, ${stacks}`}, ${process.reason.text}`;
}

function measuredText({ state, connections, decrypted, bytes, escaped = [] }: Measurement): string {
  const names = [...new Set(escaped.map(({ serverName, remote }) => code(serverName ?? remote)))];
  const missed = names.length === 0 ? "" : `; not decrypted: ${names.slice(0, 10).join(", ")}`;
  return `${state}, ${decrypted} of ${connections} connections decrypted, ${bytes} bytes${missed}`;
}

function code(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const space = text.startsWith("`") || text.endsWith("`") ? " " : "";
  return fence + space + text.replaceAll("\n", " ") + space + fence;
}

/** Escapes what CommonMark could read as markup (section 2.4), links and images above all. */
function escapeMarkdown(text: string): string {
  return text.replaceAll("\n", " ").replace(/[\\`*_{}[\]()#+\-!|<>~&$]/g, "\\$&");
}
