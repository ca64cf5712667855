/** A run as one self-contained page: nothing is loaded, no script runs, it can be mailed and printed. */
import { environmentSection } from './html-facts.ts'
import { pruneDetails, pruneFigures } from './html-prune.ts'
import { repairDetails, repairFigures } from './html-repair.ts'
import { headlineSection, resultSection, verdictSection } from './html-result.ts'
import { STYLE } from './html-style.ts'
import { markup, trusted } from './markup.ts'
import type { AnyRun } from './reported-run.ts'

/**
 * The report of `run` as an HTML document. Same run, same bytes. Whatever a file may have named (paths, layers, the command) is
 * escaped, and a content security policy forbids scripts and every request besides.
 */
export function reportHtml(run: AnyRun): string {
	const isPruning = run.schema === 'goodnet/prune@1'
	const command = isPruning ? 'prune' : 'repair'
	return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>goodnet ${command}: ${fileName(run.model.path)}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<main>
<header>
<p class="eyebrow">goodnet · ${command} report</p>
<h1>${fileName(run.model.path)}</h1>
</header>
${verdictSection(run)}
${headlineSection(run)}
${isPruning ? pruneFigures(run) : repairFigures(run)}
${resultSection(run)}
${isPruning ? pruneDetails(run) : repairDetails(run)}
${environmentSection(run)}
<footer>Made by goodnet ${run.environment.goodnet} from run.json (${run.schema}), which holds every count behind this page.</footer>
</main>
</body>
</html>
`.html
}

function fileName(path: string): string {
	return path.split(/[/\\]/).at(-1) || path
}
