// What scripts/editor-rig.mjs offers to the end-to-end tests.

/** Paths of the installed editor, the Node that runs it, and the browser that shows it. */
export interface EditorRig {
  node: string;
  codeServer: string;
  chromium: string;
}

/** Where Chromium is, when it is installed. */
export function chromiumPath(): string | undefined;
export function findRig(): EditorRig | null;
export function installRig(log?: (text: string) => void): EditorRig;
