/** The style sheet of the report: system fonts, light and dark by the reader's preference, and a printed page in light. */

const LIGHT = `
	--page: #f6f7f9; --card: #ffffff; --ink: #17202b; --quiet: #566273; --line: #dde2e9; --code: #eef1f5;
	--good: #19734a; --warn: #8a5a00; --bad: #b3261e; --plain: #44546a;
	--clean: #1f66c7; --valid: #10203a; --asr: #cc3a2e; --bar: #71829a; --dead: #cf8a12; --rule: #7d8896;`

const DARK = `
	--page: #10151c; --card: #18202a; --ink: #e7ecf3; --quiet: #9aa8ba; --line: #2b3644; --code: #202a36;
	--good: #5cc596; --warn: #e5b04d; --bad: #ff8a80; --plain: #a9b8cc;
	--clean: #6aa8ff; --valid: #f1f5fb; --asr: #ff7b6e; --bar: #8698b0; --dead: #e8b04a; --rule: #8391a3;`

export const STYLE = `
:root { color-scheme: light dark; ${LIGHT} }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }
* { box-sizing: border-box; }
body {
	margin: 0; background: var(--page); color: var(--ink);
	font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", sans-serif;
	font-variant-numeric: tabular-nums;
}
main { max-width: 62rem; margin: 0 auto; padding: 3rem 1.5rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.25; letter-spacing: -0.01em; margin: 0.15rem 0 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 3rem 0 0.75rem; letter-spacing: -0.005em; }
p { margin: 0.5rem 0; max-width: 46rem; }
.eyebrow { margin: 0; color: var(--quiet); font-size: 0.875rem; }
.quiet { color: var(--quiet); font-size: 0.9rem; }
.verdict { margin: 1.75rem 0 0; padding: 1.1rem 1.4rem; background: var(--card); border: 1px solid var(--line);
	border-left: 5px solid var(--tone); border-radius: 8px; }
.verdict p { max-width: none; margin: 0; }
.verdict .finding { font-size: 1.16rem; line-height: 1.5; }
.verdict .finding + p { margin-top: 0.6rem; color: var(--quiet); }
.good { --tone: var(--good); } .warn { --tone: var(--warn); } .bad { --tone: var(--bad); } .plain { --tone: var(--plain); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 0.9rem; margin: 0.9rem 0 0; padding: 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 0.9rem 1.1rem 1rem; }
.tile dt { color: var(--quiet); font-size: 0.875rem; }
.tile dt::first-letter { text-transform: uppercase; }
.tile dd { margin: 0; }
.tile .change { font-size: 1.6rem; font-weight: 600; line-height: 1.35; letter-spacing: -0.02em; white-space: nowrap; }
.tile .change .from { color: var(--quiet); font-weight: 400; }
.tile .interval { color: var(--quiet); font-size: 0.84rem; }
figure { margin: 0; overflow-x: auto; padding: 1rem 1.1rem 0.9rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
figure svg { width: 100%; min-width: 32rem; height: auto; }
figcaption { color: var(--quiet); font-size: 0.9rem; margin-top: 0.5rem; max-width: 46rem; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; }
th, td { padding: 0.5rem 0.9rem; text-align: left; vertical-align: baseline; }
thead th { color: var(--quiet); font-weight: 500; white-space: nowrap; }
tbody tr { border-top: 1px solid var(--line); }
tbody tr.twin { border-top-color: transparent; }
tbody th { font-weight: 600; white-space: nowrap; }
td .interval { display: block; color: var(--quiet); font-size: 0.82rem; }
.results td { white-space: nowrap; }
.facts th { width: 11rem; font-weight: 500; color: var(--quiet); }
.facts td { overflow-wrap: anywhere; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: 0.86em; }
.hash { display: block; color: var(--quiet); font-size: 0.78rem; overflow-wrap: anywhere; }
pre { margin: 0; padding: 0.9rem 1.1rem; background: var(--code); border-radius: 8px; white-space: pre-wrap; overflow-wrap: anywhere; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--quiet); font-size: 0.875rem; }
@media (max-width: 34rem) { main { padding: 1.5rem 1rem; } .facts th { width: auto; } }
@media print {
	:root { color-scheme: light; ${LIGHT} --page: #ffffff; }
	body { font-size: 10.5pt; }
	main { max-width: none; padding: 0; }
	h2 { break-after: avoid; margin-top: 1.6rem; }
	figure, .verdict, .tiles, tr, pre { break-inside: avoid; }
	.scroll, figure { overflow: visible; }
	.tile, figure, .verdict { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`
