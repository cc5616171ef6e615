// The import rules of ARCHITECTURE.md ("Invariants") as lint errors, over the recommended strict rules.
import js from "@eslint/js";
import tseslint from "typescript-eslint";

/** Forbids imports in one room. @param {string[]} files @param {[string[], string][]} rules */
const room = (files, rules, paths = []) => ({
  files,
  rules: {
    "no-restricted-imports": [
      "error",
      { paths, patterns: rules.map(([group, message]) => ({ group, message })) },
    ],
  },
});

const editor = [["vscode", "vscode-languageclient*"], "vscode belongs to src/extension/"];
const elfy = [["elfy"], "elfy belongs to src/analyzer/elf/"];
const browser = [["d3", "d3-*", "**/webview/**"], "the DOM and d3 belong to webview/"];
const native = [["**/*.node", "**/native/**"], "only src/tracer/ loads native/"];
const tracer = [
  ["**/tracer/*", "!**/tracer/messages.ts", "!**/tracer/frames.ts"],
  "the tracer is another process: talk to it by messages",
];
const extension = [["**/extension/**"], "data flows analyzer → protocol → extension"];
const analyzer = [["**/analyzer/**"], "data flows analyzer → protocol → extension → webview"];
const effects = [
  [
    "node:fs",
    "node:fs/*",
    "node:child_process",
    "node:net",
    "node:http*",
    "node:os",
    "node:process",
    "**/processes/**",
    "**/capture/**",
    "**/cli/**",
  ],
  "this room is pure: bytes and facts in, data out",
];
const everything = [
  ["**/analyzer/**", "**/tracer/**", "**/extension/**", "**/webview/**"],
  "protocol/ holds types and constants only",
];

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", "test/fixtures/", ".plainsight/"] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafeCalls: [
            { from: "package", name: ["test", "describe", "it"], package: "node:test" },
          ],
        },
      ],
    },
  },
  {
    files: ["**/*.mjs", "bin/*"],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: {
      ...tseslint.configs.disableTypeChecked.languageOptions,
      globals: Object.fromEntries(
        ["process", "console", "URL", "Buffer", "setTimeout", "clearTimeout", "fetch"].map((name) => [
          name,
          "readonly",
        ]),
      ),
    },
  },
  {
    files: ["**/*.cjs"],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: {
      ...tseslint.configs.disableTypeChecked.languageOptions,
      sourceType: "commonjs",
      globals: { exports: "writable", require: "readonly" },
    },
    rules: { ...tseslint.configs.disableTypeChecked.rules, "@typescript-eslint/no-require-imports": "off" },
  },
  room(["src/protocol/**"], [everything, editor, elfy, browser, native]),
  room(["src/tracer/**"], [editor, elfy, browser, extension, analyzer]),
  room(
    ["src/analyzer/*.ts", "src/analyzer/{processes,capture,network,cli,report}/**"],
    [editor, elfy, browser, native, tracer, extension],
  ),
  room(["src/analyzer/elf/**"], [editor, browser, native, tracer, extension, effects]),
  room(
    ["src/analyzer/{stacks,coverage,traffic}/**", "src/analyzer/network/hello/**"],
    [editor, elfy, browser, native, tracer, extension, effects],
  ),
  room(
    ["src/extension/**"],
    [elfy, browser, native, [["**/tracer/**"], "the extension talks to the analyzer"], analyzer],
  ),
  room(
    ["webview/**"],
    [
      editor,
      elfy,
      [
        ["**/src/analyzer/**", "**/src/tracer/**", "**/src/extension/**", "node:*"],
        "the webview sees src/protocol/ only",
      ],
    ],
  ),
);
