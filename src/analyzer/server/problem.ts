// What an editor is told of a failure.
import type { Problem } from "../../protocol/editor.ts";

/** The problem an error carries, or the error itself as one: a failure is shown, never swallowed. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Error && "problem" in error) return error.problem as Problem;
  const text = error instanceof Error ? error.message : String(error);
  return { code: "trace-failed", text, remedy: "See Plainsight's output for what happened" };
}
