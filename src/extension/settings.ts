// The user's settings, read afresh each time so that a change counts at once.
import { workspace } from "vscode";

export interface Settings {
  traceDebuggedProcess: boolean;
  followChildren: boolean;
  openLiveTrafficOnTrace: boolean;
  openLiveTrafficWhenDebugging: boolean;
  showSecrets: boolean;
  /** Bytes kept of each body. */
  bodyLimit: number;
  /** How long the support matrix watches. */
  measureSeconds: number;
  nodePath: string;
}

/** The prefix of all settings. */
export const section = "plainsight";

export function readSettings(): Settings {
  const settings = workspace.getConfiguration(section);
  return {
    traceDebuggedProcess: settings.get("traceDebuggedProcess", true),
    followChildren: settings.get("followChildren", true),
    openLiveTrafficOnTrace: settings.get("openLiveTrafficOnTrace", true),
    openLiveTrafficWhenDebugging: settings.get("openLiveTrafficWhenDebugging", true),
    showSecrets: settings.get("showSecrets", false),
    bodyLimit: settings.get("bodyLimitKibibytes", 64) * 1024,
    measureSeconds: settings.get("measureSeconds", 10),
    nodePath: settings.get("nodePath", ""),
  };
}
