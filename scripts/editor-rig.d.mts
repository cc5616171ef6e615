// What scripts/editor-rig.mjs offers to the end-to-end tests.

/** Paths of the installed editor, the Node that runs it, and the browser that shows it. */
export interface EditorRig {
  node: string;
  codeServer: string;
  chromium: string;
}

export function findRig(): EditorRig | null;
export function installRig(log?: (text: string) => void): EditorRig;
