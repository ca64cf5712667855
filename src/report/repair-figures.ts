/** The figures of a repair, as SVG strings. */
import { areaY, axisX, axisY, gridY, lineY } from '@observablehq/plot'
import type { CleanCount } from '../contracts/prune-run.ts'
import type { RepairFindings } from '../contracts/repair-run.ts'
import { wilson } from '../metrics/interval.ts'
import { COLOURS, drawFigure, type LegendEntry, yLabel } from './svg.ts'

/** A point of a curve; `share`, `low` and `high` in percent. */
interface Point {
	readonly at: number
	readonly share: number
	readonly low: number
	readonly high: number
}

interface Series extends LegendEntry {
	readonly points: readonly Point[]
}

/** Accuracy in percent by epoch, on the images that were learned from and on validation images; null without two epochs. */
export function historySvg({ history }: RepairFindings): string | null {
	if (history === null) return null
	const tuning = history.map(({ epoch, train }) => ({ at: epoch, count: train }))
	const valid = history.flatMap(({ epoch, valid: count }) => (count ? [{ at: epoch, count }] : []))
	return curveSvg('history', 'epoch', [
		{ name: 'accuracy on tuning images', colour: COLOURS.bar, drawn: 'line', points: tuning.map(toPoint) },
		{ name: 'clean accuracy (validation)', colour: COLOURS.clean, drawn: 'line', points: valid.map(toPoint) },
	])
}

/** Clean accuracy of every candidate, in percent, by what tells them apart; null without two of them. */
export function candidatesSvg({ candidates }: RepairFindings): string | null {
	if (candidates === null) return null
	const { quantity, nets } = candidates
	const points = nets.map(({ amount, valid }) => toPoint({ at: amount, count: valid })).toSorted((a, b) => a.at - b.at)
	return curveSvg('candidates', quantity, [
		{ name: 'clean accuracy (validation)', colour: COLOURS.clean, drawn: 'line', points },
	])
}

/** @param quantity of the horizontal axis; the words of a method, never of a file */
function curveSvg(name: string, quantity: string, all: readonly Series[]): string | null {
	const series = all.filter(({ points }) => points.length > 1)
	if (series.length === 0) return null
	return drawFigure({
		name,
		label: `${series.map((each) => each.name).join(', ')} in percent against ${quantity}.`,
		height: 280,
		legend: series,
		options: { x: { label: null }, y: { domain: [0, 100], label: null } },
		marks: [
			gridY({ strokeOpacity: 0.12, ticks: 5 }),
			axisY({ tickSize: 0, ticks: 5 }),
			yLabel('share of images (%)'),
			axisX({ label: quantity, labelArrow: 'none', labelAnchor: 'center' }),
			...series.map(({ points, colour }) =>
				areaY(points, { x: 'at', y1: 'low', y2: 'high', fill: colour, fillOpacity: 0.18 }),
			),
			...series.map(({ points, colour }) => lineY(points, { x: 'at', y: 'share', stroke: colour, strokeWidth: 2 })),
		],
	})
}

function toPoint({ at, count: { correct, total } }: { readonly at: number; readonly count: CleanCount }): Point {
	const { low, high } = wilson(correct, total) ?? { low: 0, high: 1 }
	return { at, share: total === 0 ? 0 : (100 * correct) / total, low: 100 * low, high: 100 * high }
}
