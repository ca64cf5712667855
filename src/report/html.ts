/** A prune run as one self-contained page: nothing is loaded, no script runs, it can be mailed and printed. */
import type { PruneRun } from '../contracts/prune-run.ts'
import { activationSvg, pruneCurveSvg } from './figures.ts'
import { environmentSection, inputSection, outputSection, readingSection } from './html-facts.ts'
import { headlineSection, resultSection, verdictSection } from './html-result.ts'
import { STYLE } from './html-style.ts'
import { type Markup, markup, trusted } from './markup.ts'

/**
 * The report of `run` as an HTML document. Same run, same bytes. Whatever a file may have named (paths, layers, the command) is
 * escaped, and a content security policy forbids scripts and every request besides.
 */
export function reportHtml(run: PruneRun): string {
	return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>goodnet prune: ${fileName(run.model.path)}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<main>
<header>
<p class="eyebrow">goodnet · prune report</p>
<h1>${fileName(run.model.path)}</h1>
</header>
${verdictSection(run)}
${headlineSection(run)}
${figureSections(run)}
${resultSection(run)}
${readingSection(run)}
${inputSection(run)}
${outputSection(run)}
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

function figureSections(run: PruneRun): Markup[] {
	return [
		figureSection(
			'What pruning costs and what it removes',
			pruneCurveSvg(run),
			'Each net of the sweep: bands are 95 % intervals, dotted rules the repaired nets.',
		),
		figureSection(
			'Which channels were pruned first',
			activationSvg(run),
			'Bar k is the k-th channel pruned. After a ReLU, a mean of exactly 0 says that the channel never fired on the validation images, and that pruning it changes no answer there.',
		),
	]
}

function figureSection(title: string, svg: string | null, caption: string): Markup {
	if (svg === null) return markup``
	return markup`<section>
<h2>${title}</h2>
<figure>${trusted(svg)}
<figcaption>${caption}</figcaption></figure>
</section>`
}
