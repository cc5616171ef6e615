// The style sheet of the HTML report: system fonts, one accent for each verdict, light, dark and paper.

export const styleSheet = `
:root {
  --ground: #ffffff; --raised: #f6f7f9; --line: #e1e4e8; --text: #1f2328; --quiet: #636c76;
  --traceable: #1a7f37; --proxy: #0969da; --metadata: #9a6700; --dark: #cf222e; --unknown: #8250df; --no-tls: #afb8c1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0d1117; --raised: #161b22; --line: #30363d; --text: #e6edf3; --quiet: #8d96a0;
    --traceable: #3fb950; --proxy: #58a6ff; --metadata: #d29922; --dark: #f85149; --unknown: #bc8cff; --no-tls: #484f58;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 2.5rem 1.5rem; background: var(--ground); color: var(--text);
  font: 0.9375rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { margin: 0; font-size: 1.5rem; font-weight: 600; overflow-wrap: anywhere; }
h2 { margin: 2.25rem 0 0.75rem; font-size: 1.0625rem; font-weight: 600; }
.where, .quiet, footer, .place, dt { color: var(--quiet); font-weight: 400; }
.where { margin: 0.25rem 0 0; }
.quiet { font-size: 0.875rem; }
.summary { margin-top: 1.5rem; padding: 1.25rem 1.5rem; background: var(--raised); border: 1px solid var(--line); border-radius: 0.5rem; }
.headline { margin: 0; font-size: 1.25rem; font-weight: 600; }
.bar { display: flex; gap: 2px; height: 0.625rem; margin: 1rem 0; }
.bar span { border-radius: 2px; min-width: 4px; }
.traceable { background: var(--traceable); } .proxy { background: var(--proxy); } .metadata { background: var(--metadata); }
.dark { background: var(--dark); } .unknown { background: var(--unknown); } .no-tls { background: var(--no-tls); }
.legend { display: flex; flex-wrap: wrap; gap: 0.375rem 1.75rem; margin: 0.75rem 0 0; padding: 0; list-style: none; }
.dot { display: inline-block; width: 0.625rem; height: 0.625rem; margin-right: 0.5rem; border-radius: 50%; }
.wide { overflow-x: auto; }
table { width: 100%; min-width: 58rem; table-layout: fixed; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.5rem 1rem 0.5rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { padding-bottom: 0.375rem; color: var(--quiet); font-size: 0.8125rem; font-weight: 500; }
tbody th { font-weight: 600; overflow-wrap: anywhere; }
tbody td { overflow-wrap: anywhere; }
td:last-child { padding-right: 0; }
.number { text-align: right; width: 5.5rem; }
.process { width: 12rem; } .class { width: 9.5rem; } .stack { width: 12rem; } .path { width: 4.75rem; }
.place { display: block; font-size: 0.8125rem; }
.basis { display: inline-block; padding: 0 0.4375rem; border: 1px solid var(--line); border-radius: 1rem; color: var(--quiet); font-size: 0.75rem; }
details summary { width: fit-content; color: var(--quiet); font-size: 0.8125rem; cursor: pointer; }
details.block summary h2 { display: inline-block; color: var(--text); }
details p { margin: 0.75rem 0 0.25rem; font-size: 0.8125rem; overflow-wrap: anywhere; }
details:not(.block) ul, dd { font: 0.75rem/1.6 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
ul { margin: 0.25rem 0; padding-left: 1.125rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.125rem 0.75rem; margin: 0.5rem 0 0; font-size: 0.8125rem; }
dd { margin: 0; align-self: center; }
footer { margin-top: 3rem; padding-top: 0.75rem; border-top: 1px solid var(--line); font-size: 0.8125rem; }
@media print {
  :root { --ground: #fff; --raised: #fff; --line: #ccc; --text: #000; --quiet: #444; }
  body { max-width: none; padding: 0; font-size: 9pt; }
  .bar span, .dot { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  tr, .summary { break-inside: avoid; }
  .wide { overflow: visible; }
  table { min-width: 0; }
  details:not([open]) { display: none; }
}
`;
