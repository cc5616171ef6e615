// The server names that are refused, as a file lists them: a name or `*.suffix` a line, `#` begins a comment.
import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { isNameRule } from "../../tracer/messages.ts";

export interface NameRules {
  /** In lower case and ASCII, each once. */
  rules: string[];
  /** The lines that make no sense, each as `line N: …`; the others are used. */
  problems: string[];
}

/** The most that the kernel's table takes. */
const mostRules = 200_000;

export function readNameRules(text: string): NameRules {
  const rules = new Set<string>();
  const problems: string[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const written = line.replace(/#.*/, "").trim();
    if (written === "") continue;
    const rule = ruleOf(written);
    if (isIP(written) !== 0) {
      problems.push(
        `line ${index + 1}: ${JSON.stringify(written)} is an address, which no ClientHello names`,
      );
    } else if (rule === null) {
      problems.push(
        `line ${index + 1}: ${JSON.stringify(written.slice(0, 300))} is neither a name nor *.suffix`,
      );
    } else if (rules.size < mostRules) rules.add(rule);
    else {
      problems.push(`line ${index + 1}: more than ${mostRules} names; the rest is left out`);
      break;
    }
  }
  return { rules: [...rules], problems };
}

/** A name with letters beyond ASCII is what clients make of it (RFC 5891); the dot of the root says nothing. */
function ruleOf(written: string): string | null {
  const [, star = "", name = ""] = /^(\*\.)?(.*?)\.?$/s.exec(written) ?? [];
  const ascii = /^[\x21-\x7e]*$/.test(name) ? name.toLowerCase() : domainToASCII(name);
  const rule = star + ascii;
  return ascii !== "" && isNameRule(rule) ? rule : null;
}

/** The rule that refuses this name, the most specific one; null when none does. Case and dots at its end say nothing. */
export function ruleFor(rules: ReadonlySet<string>, serverName: string): string | null {
  const name = serverName.toLowerCase().replace(/\.+$/, "");
  if (rules.has(name)) return name;
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
    const rule = `*${name.slice(dot)}`;
    if (rules.has(rule)) return rule;
  }
  return null;
}
