// How TLS stacks are named in the editor. Pure.
import { stackTitles, type StackReport } from "../protocol/coverage.ts";

/** `OpenSSL 3.0.19`, `OpenSSL 3.0.19 and GnuTLS 3.7.9`, or empty without a stack. */
export function stacksText(stacks: Pick<StackReport, "stack" | "version">[]): string {
  const names = stacks.map(({ stack, version }) =>
    version ? `${stackTitles[stack]} ${version}` : stackTitles[stack],
  );
  return [...new Set(names)].join(" and ");
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
