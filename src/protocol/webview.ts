// The messages between the extension and the Live traffic webview (`postMessage`).
import type { DetailsResult, StateParams, TrafficParams, TrafficRow } from "./editor.ts";

export type ToWebview =
  /**
   * First message after `ready`: everything the extension still holds. `isNew` when the extension has begun anew since
   * the page saved its state: what was paused then is gone.
   */
  | { type: "restore"; rows: TrafficRow[]; state: StateParams; dropped: number; isNew: boolean }
  | ({ type: "traffic" } & TrafficParams)
  | { type: "state"; state: StateParams }
  | { type: "details"; id: string; details: DetailsResult }
  | { type: "cleared" };

export type FromWebview =
  | { type: "ready" }
  | { type: "details"; id: string }
  | { type: "clear" }
  | { type: "copy"; text: string }
  | { type: "openSource"; file: string; line: number; column?: number }
  /** Runs one of the extension's own commands, by the list the extension allows. */
  | { type: "command"; command: WebviewCommand };

export type WebviewCommand =
  | "plainsight.trace"
  | "plainsight.stopAll"
  | "plainsight.watchNetwork"
  | "plainsight.unwatchNetwork"
  | "plainsight.showCoverage";
