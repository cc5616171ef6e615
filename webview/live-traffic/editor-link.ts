// The link to the extension: typed messages both ways, and the state that the editor keeps for this view.
import type { FromWebview, ToWebview } from "../../src/protocol/webview.ts";
import { readSavedState, type SavedState } from "./saved-state.ts";

interface EditorApi {
  postMessage(message: unknown): void;
  setState(state: unknown): void;
  getState(): unknown;
}

declare function acquireVsCodeApi(): EditorApi;

export interface EditorLink {
  post(message: FromWebview): void;
  /** Keeps the state; many calls in one turn are written once. */
  save(state: SavedState): void;
  saved(): SavedState;
}

/** Opens the link, once in the life of the page; `receive` gets each message of the extension. */
export function openEditorLink(receive: (message: ToWebview) => void): EditorLink {
  const editor = acquireVsCodeApi();
  let unsaved: SavedState | null = null;
  window.addEventListener("message", (event: MessageEvent<ToWebview>) => {
    receive(event.data);
  });
  return {
    post: (message) => {
      editor.postMessage(message);
    },
    save: (state) => {
      if (unsaved === null) {
        queueMicrotask(() => {
          editor.setState(unsaved);
          unsaved = null;
        });
      }
      unsaved = state;
    },
    saved: () => readSavedState(editor.getState()),
  };
}
