// Decides what stands in the list's place when it has no rows to show. It draws nothing.
import type { Problem, StateParams } from "../../src/protocol/editor.ts";

export type Situation =
  | { kind: "rows" }
  /** Before the extension has answered. */
  | { kind: "loading" }
  | { kind: "problem"; problem: Problem }
  /** Nothing is traced, and the network is not watched. */
  | { kind: "idle" }
  /** As idle, and the rows that were there are gone with the window that had them. */
  | { kind: "gone" }
  /** Something is traced, or the network is watched, and nothing was said yet. */
  | { kind: "waiting"; tracing: StateParams["tracing"]; interfaces: string[] }
  /** Paused before anything was shown. */
  | { kind: "held"; heldCount: number }
  /** Rows are there, and the filter or the time range hides all of them. */
  | { kind: "filtered"; hiddenCount: number };

export interface Facts {
  /** Null before the extension has answered. */
  state: StateParams | null;
  rowCount: number;
  shownCount: number;
  heldCount: number;
  /** Rows were there before the window was closed or reloaded. */
  hadRows: boolean;
}

export function situationOf({ state, rowCount, shownCount, heldCount, hadRows }: Facts): Situation {
  if (state === null) return { kind: "loading" };
  if (shownCount > 0) return { kind: "rows" };
  if (rowCount > 0) return { kind: "filtered", hiddenCount: rowCount };
  if (heldCount > 0) return { kind: "held", heldCount };
  const { tracing, network } = state;
  const problem = state.problem ?? state.networkProblem;
  // What goes on in spite of a problem matters more than the problem, which has its notice.
  if (problem !== undefined && network === undefined) return { kind: "problem", problem };
  if (tracing.length === 0 && network === undefined) return { kind: hadRows ? "gone" : "idle" };
  return { kind: "waiting", tracing, interfaces: network?.interfaces ?? [] };
}
