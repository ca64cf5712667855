/** How numbers read, everywhere: terminal, sentence and page. */
import { wilson } from '../metrics/interval.ts'

const grouped = new Intl.NumberFormat('en-US')

/** A count with thousands separators: `12,830`. */
export function formatCount(count: number): string {
	return grouped.format(count)
}

/** A drop without a trailing `.0`: `2`, `2.5`. The same text stands in file names (`repaired_2.5.h5`). */
export function formatDrop(drop: number): string {
	return String(drop)
}

/** A drop with its unit: `1 point`, `2.5 points`. */
export function formatPoints(points: number): string {
	return `${formatDrop(points)} ${points === 1 ? 'point' : 'points'}`
}

/**
 * A rate with its 95 % interval: `95.90 % [95.54–96.23]`. All of n reads `100 % [≥ 99.97]`; 0 of n is its one-sided upper bound
 * alone, `≤ 0.03 %`, since 0 % would claim more than was seen; an empty set reads `no images`.
 * @throws InputError where `hits` of `total` is no count
 */
export function formatRate(hits: number, total: number): string {
	const { share, interval } = formatRateParts(hits, total)
	return interval === '' ? share : `${share} ${interval}`
}

/** `formatRate` in two pieces, for columns: the share, and the bracketed interval or `''`. */
export function formatRateParts(hits: number, total: number): { share: string; interval: string } {
	const bounds = wilson(hits, total)
	if (bounds === null) return { share: 'no images', interval: '' }
	if (bounds.sides === 'upper') return { share: `≤ ${formatUpperBound(bounds.high)}`, interval: '' }
	if (bounds.sides === 'lower')
		return { share: '100 %', interval: `[≥ ${percent(Math.floor(bounds.low * 1e4) / 1e4)}]` }
	return { share: formatShare(hits, total), interval: `[${percent(bounds.low)}–${percent(bounds.high)}]` }
}

/** The share alone, `95.90 %`; never rounded up to all or down to none. */
export function formatShare(hits: number, total: number): string {
	if (total === 0) return 'no images'
	if (hits === total) return '100 %'
	if (hits === 0) return '0 %'
	return `${percent(Math.min(0.9999, Math.max(0.0001, hits / total)))} %`
}

/** The counts behind a rate: `12,304 of 12,830`. */
export function formatOf(hits: number, total: number): string {
	return `${formatCount(hits)} of ${formatCount(total)}`
}

/** The upper end of an interval as a claim "at most": rounded up, so that it stays true. */
export function formatUpperBound(high: number): string {
	return `${percent(Math.ceil(high * 1e4) / 1e4)} %`
}

/** Percent to two decimals; 100 goes without, which keeps intervals within 13 characters. */
function percent(rate: number): string {
	const text = (100 * rate).toFixed(2)
	return text === '100.00' ? '100' : text
}

/** `text` as a sentence begins. */
export function capitalized(text: string): string {
	return text.charAt(0).toUpperCase() + text.slice(1)
}
