/** The figures of a prune run, as SVG strings. */
import { areaY, axisX, axisY, gridY, lineY, rectY, ruleY } from '@observablehq/plot'
import type { CleanCount, PruneRun, StepRecord } from '../contracts/prune-run.ts'
import { wilson } from '../metrics/interval.ts'
import { type CleanSet, describeSet } from './clean-set.ts'
import { COLOURS, DASHES, drawFigure, dropLegend, dropRules, type LegendEntry, yLabel } from './svg.ts'

/** A point of the prune curve; `share`, `low` and `high` in percent. */
interface Point {
	readonly pruned: number
	readonly share: number
	readonly low: number
	readonly high: number
}

interface Series extends LegendEntry {
	readonly drawn: 'line' | 'dashed'
	readonly points: readonly Point[]
}

/**
 * The prune curve: clean accuracy and ASR in percent against channels pruned, with 95 % bands and a rule for each repaired net.
 * Null where the sweep was not measured.
 */
export function pruneCurveSvg(run: PruneRun): string | null {
	const series = seriesOf(run).filter(({ points }) => points.length > 1)
	if (series.length === 0) return null
	return drawFigure({
		name: 'prune-curve',
		label: `Prune curve: ${series.map(({ name }) => name).join(', ')} in percent against channels pruned of ${run.model.channels}.`,
		height: 380,
		legend: [...series, ...dropLegend(run)],
		options: { x: channelScale(run), y: { domain: [0, 100], label: null } },
		marks: [
			gridY({ strokeOpacity: 0.12, ticks: 5 }),
			axisY({ tickSize: 0, ticks: 5 }),
			yLabel('share of images (%)'),
			axisX({ label: `channels pruned (of ${run.model.channels})`, labelArrow: 'none', labelAnchor: 'center' }),
			...dropRules(run),
			...series.map(({ points, colour }) =>
				areaY(points, { x: 'pruned', y1: 'low', y2: 'high', fill: colour, fillOpacity: 0.18 }),
			),
			...series.map(({ points, colour, drawn }) =>
				lineY(points, {
					x: 'pruned',
					y: 'share',
					stroke: colour,
					strokeWidth: drawn === 'line' ? 2 : 1.5,
					...(drawn === 'dashed' && { strokeDasharray: DASHES[drawn] }),
				}),
			),
		],
	})
}

function seriesOf(run: PruneRun): Series[] {
	const { valid, test, poisoned } = run.data
	return [
		...(test ? [cleanSeries(run, describeSet('test', test), COLOURS.clean, 'line')] : []),
		...(valid ? [cleanSeries(run, describeSet('valid', valid), COLOURS.valid, 'dashed')] : []),
		...(poisoned ? [asrSeries(run)] : []),
	]
}

function cleanSeries(run: PruneRun, { key, quantity }: CleanSet, colour: string, drawn: Series['drawn']): Series {
	const hits = ({ [key]: count }: StepRecord) => count && toShare(count)
	const name = `${quantity} (${key === 'test' ? 'test' : 'validation'})`
	return { name, colour, drawn, points: pointsOf(run, hits) }
}

function asrSeries(run: PruneRun): Series {
	const points = pointsOf(run, ({ poisoned }) => poisoned)
	return { name: 'ASR', colour: COLOURS.asr, drawn: 'line', points }
}

function toShare({ correct, total }: CleanCount): { hits: number; total: number } {
	return { hits: correct, total }
}

function pointsOf(run: PruneRun, countOf: (step: StepRecord) => { hits: number; total: number } | null): Point[] {
	return run.steps.flatMap((step) => {
		const count = countOf(step)
		const bounds = count && wilson(count.hits, count.total)
		if (!count || !bounds) return []
		return [
			{ pruned: step.pruned, share: (100 * count.hits) / count.total, low: 100 * bounds.low, high: 100 * bounds.high },
		]
	})
}

function channelScale(run: PruneRun): { domain: [number, number]; label: null } {
	return { domain: [0, run.model.channels], label: null }
}

/**
 * Mean activation of every channel in pruning order (channels that were not ordered follow, lowest first), on the channel axis of the
 * prune curve: bar k is the k-th channel pruned. Channels of mean exactly 0 never fired and are marked. Null without activations.
 */
export function activationSvg(run: PruneRun): string | null {
	const { meanActivation } = run
	if (meanActivation === null || meanActivation.length === 0) return null
	const bars = pruningOrder(run.order, meanActivation).map((channel, place) => toBar(channel, place, meanActivation))
	const dead = bars.filter(({ mean }) => mean === 0)
	const top = Math.max(...bars.map(({ mean }) => Math.abs(mean))) || 1
	return drawFigure({
		name: 'activation',
		label: `Mean activation of the ${bars.length} channels in pruning order; ${dead.length} are exactly 0.`,
		height: 280,
		legend: [
			{ name: 'mean activation', colour: COLOURS.bar, drawn: 'box' },
			{ name: `exactly 0 (${dead.length} of ${bars.length} channels)`, colour: COLOURS.dead, drawn: 'box' },
			...dropLegend(run),
		],
		options: { x: channelScale(run), y: { label: null } },
		marks: [
			gridY({ strokeOpacity: 0.12, ticks: 5 }),
			axisY({ tickSize: 0, ticks: 5 }),
			yLabel(`mean activation of ${run.model.layer} (output units)`),
			axisX({ label: 'place in pruning order, first pruned first', labelArrow: 'none', labelAnchor: 'center' }),
			...dropRules(run),
			rectY(bars, { x1: 'start', x2: 'end', y: 'mean', fill: COLOURS.bar, inset: 0.5, title: 'title' }),
			rectY(dead, {
				x1: 'start',
				x2: 'end',
				y1: 0,
				y2: -0.025 * top,
				fill: COLOURS.dead,
				insetLeft: 0.5,
				title: 'title',
			}),
			ruleY([0], { strokeOpacity: 0.5 }),
		],
	})
}

function pruningOrder(order: readonly number[], meanActivation: readonly number[]): number[] {
	const ordered = new Set(order)
	const rest = [...meanActivation.keys()].filter((channel) => !ordered.has(channel))
	return [...order, ...rest.sort((a, b) => (meanActivation[a] ?? 0) - (meanActivation[b] ?? 0))]
}

function toBar(channel: number, place: number, meanActivation: readonly number[]) {
	const mean = meanActivation[channel] ?? 0
	return {
		start: place,
		end: place + 1,
		mean,
		title: `channel ${channel}: ${mean === 0 ? 'exactly 0' : mean.toPrecision(4)}`,
	}
}
