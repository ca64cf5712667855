/** What the figures share: a document without a browser, sizes, colours, legend, and bytes that depend on the data alone. */
import { type Markish, type PlotOptions, plot, ruleX, text } from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import type { PruneRun } from '../contracts/prune-run.ts'
import { chosenLabel } from './chosen.ts'

/** Pixels. Both figures share width and side margins, so that their channel axes stand exactly below each other. */
const WIDTH = 760
const MARGIN = { left: 56, right: 16, top: 64, bottom: 44 }

/** CSS colours: the page sets the variables for light and dark, a figure on its own falls back to a tone legible on both. */
export const COLOURS = {
	clean: 'var(--clean, #3b7dd8)',
	valid: 'var(--valid, #808894)',
	asr: 'var(--asr, #d9483b)',
	bar: 'var(--bar, #6f7f95)',
	dead: 'var(--dead, #d99a2b)',
	rule: 'var(--rule, #8a94a3)',
} as const

/** How lines are dashed; `''` is a solid line. */
export const DASHES = { line: '', dashed: '3,5', dotted: '2,3' } as const

/** One entry of a legend: how the series is drawn, and its name. */
export interface LegendEntry {
	readonly name: string
	readonly colour: string
	readonly drawn: keyof typeof DASHES | 'box'
}

/**
 * A figure: `name` is its class, unique within a page; `label` says in words what it shows. Neither may hold text from a file: linkedom
 * leaves `<` in attributes as it is (it escapes text).
 */
export interface Figure {
	readonly name: string
	readonly label: string
	readonly height: number
	readonly legend: readonly LegendEntry[]
	readonly options: Omit<PlotOptions, 'marks'>
	readonly marks: Markish[]
}

/** Draws a figure as a stand-alone SVG element. Same data, same bytes. */
export function drawFigure({ name, label, height, legend, options, marks }: Figure): string {
	const { document } = parseHTML('<!doctype html><html></html>')
	const svg = plot({
		document,
		className: name,
		ariaLabel: label,
		width: WIDTH,
		height,
		marginLeft: MARGIN.left,
		marginRight: MARGIN.right,
		marginTop: MARGIN.top,
		marginBottom: MARGIN.bottom,
		style: { fontSize: '12px' },
		...options,
		marks,
	})
	svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
	svg.setAttribute('role', 'img')
	svg.append(drawLegend(document, legend))
	return roundCoordinates(svg.outerHTML)
}

/** Pixels that a legend entry takes beside its name, and that a letter of the name takes, generously. */
const ENTRY = { key: 26, gap: 22, letter: 6.6, baseline: 14 }

function drawLegend(document: Document, entries: readonly LegendEntry[]): Element {
	const group = document.createElementNS('http://www.w3.org/2000/svg', 'g')
	group.setAttribute('aria-hidden', 'true')
	let x = MARGIN.left
	for (const entry of entries) {
		group.append(drawKey(document, entry, x), drawName(document, entry.name, x + ENTRY.key))
		x += ENTRY.key + ENTRY.gap + ENTRY.letter * entry.name.length
	}
	return group
}

function drawKey(document: Document, { colour, drawn }: LegendEntry, x: number): Element {
	const key = document.createElementNS('http://www.w3.org/2000/svg', 'path')
	key.setAttribute('d', `M${x},${ENTRY.baseline - 4}h18`)
	key.setAttribute('stroke', colour)
	key.setAttribute('stroke-width', drawn === 'box' ? '10' : '2')
	if (drawn !== 'box' && DASHES[drawn]) key.setAttribute('stroke-dasharray', DASHES[drawn])
	return key
}

function drawName(document: Document, name: string, x: number): Element {
	const element = document.createElementNS('http://www.w3.org/2000/svg', 'text')
	element.setAttribute('x', String(x))
	element.setAttribute('y', String(ENTRY.baseline))
	element.setAttribute('text-anchor', 'start')
	element.textContent = name
	return element
}

/** What the y axis shows, quantity and unit, on a line of its own above the frame's upper left corner. */
export function yLabel(label: string): Markish {
	const place = { frameAnchor: 'top-left', lineAnchor: 'bottom', dx: -MARGIN.left + 4, dy: -26 } as const
	return text([label], { ...place })
}

/** Vertical rules at the repaired nets, each labelled above the frame with what it was chosen by, a drop in points for one. */
export function dropRules(run: PruneRun): Markish[] {
	const drops = dropPositions(run)
	return [
		ruleX(drops, { x: 'pruned', stroke: COLOURS.rule, strokeDasharray: '2,3' }),
		text(drops, { x: 'pruned', text: 'label', frameAnchor: 'top', dy: -8, lineAnchor: 'bottom', fontWeight: 600 }),
	]
}

/** The legend entry that explains `dropRules`; none where nothing was repaired. */
export function dropLegend(run: PruneRun): LegendEntry[] {
	if (run.repaired.length === 0) return []
	const areDrops = run.repaired.every(({ chosenBy }) => chosenBy === 'drop')
	return [{ name: areDrops ? 'drop, points' : 'repaired net', colour: COLOURS.rule, drawn: 'dotted' }]
}

/** Where the rules stand: nets that serve several drops share one rule. */
function dropPositions(run: PruneRun): { pruned: number; label: string }[] {
	const labels = new Map<number, string[]>()
	for (const record of run.repaired) {
		labels.set(record.pruned, [...(labels.get(record.pruned) ?? []), chosenLabel(record)])
	}
	return [...labels].map(([pruned, names]) => ({ pruned, label: names.join(', ') }))
}

/** Coordinates to a hundredth of a pixel: enough for any screen, and free of the last digit's platform-dependent noise. */
function roundCoordinates(svg: string): string {
	return svg.replace(/ (?:d|transform|[xy][12]?|width|height)="[^"]*"/g, (attribute) =>
		attribute.replace(/-?\d+\.\d+/g, (number) => String(Number(Number(number).toFixed(2)))),
	)
}
