/** The numbers behind the rankings, against numpy's (`oracle.py`), against naive loops, and by their laws. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ChannelLayout, channelLayout } from '../../../src/defense/prune/channel-layout.ts'
import { ShareOfZeros } from '../../../src/defense/prune/rank/apoz.ts'
import { StatisticsDivergence } from '../../../src/defense/prune/rank/bnp.ts'
import { lipschitzBounds } from '../../../src/defense/prune/rank/clp.ts'
import { type Filter, filtersOf } from '../../../src/defense/prune/rank/kernel.ts'
import { l1Norms } from '../../../src/defense/prune/rank/l1.ts'
import { MaxActivation } from '../../../src/defense/prune/rank/max.ts'
import { MeanActivation } from '../../../src/defense/prune/rank/mean.ts'
import { orderChannels, standardScores } from '../../../src/defense/prune/rank/order.ts'
import { randomScores } from '../../../src/defense/prune/rank/random.ts'
import { spectralNorm } from '../../../src/defense/prune/rank/spectral-norm.ts'
import type { ChannelStatistic } from '../../../src/defense/prune/rank/statistic.ts'
import { floatTensor } from '../../../src/graph/graph.ts'
import type { Normalization } from '../../../src/graph/normalization.ts'
import { randomValues } from '../../helpers/networks.ts'

interface Stored {
	readonly dims: number[]
	readonly values: number[]
}
interface StoredFilters {
	readonly name: string
	readonly axis: number
	readonly kernel: Stored
	readonly scale: number[]
	readonly variance: number[]
	readonly epsilon: number
	readonly l1: number[]
	readonly spectral: number[]
	readonly clp: number[]
	readonly u: number[]
}
const oracle: {
	filters: StoredFilters[]
	images: {
		activations: Stored
		mean: number[]
		variance: number[]
		epsilon: number
		expected: Record<'mean' | 'max' | 'apoz' | 'bnp', number[]>
	}
} = JSON.parse(readFileSync(new URL('oracle.json', import.meta.url), 'utf8'))

/** Sums of at most a few hundred float64 terms in another order. */
const ROUNDING = 1e-12

function expectClose(actual: readonly number[], expected: readonly number[], tolerance = ROUNDING): void {
	expect(actual.length).toBe(expected.length)
	for (const [i, value] of expected.entries()) {
		expect(Math.abs(actual[i]! - value), `channel ${i}: ${actual[i]} against ${value}`).toBeLessThanOrEqual(
			tolerance * Math.max(1, Math.abs(value)),
		)
	}
}

function normalization(parts: Partial<Record<'scale' | 'mean' | 'variance', readonly number[]>>, epsilon: number) {
	const { scale = [], mean = [], variance = [] } = parts
	const constants = { scale: 'scale', shift: 'shift' }
	const vectors = {
		scale: Float32Array.from(scale),
		mean: Float32Array.from(mean),
		variance: Float32Array.from(variance),
	}
	return { input: 'x', output: 'y', constants, ...vectors, epsilon } satisfies Normalization
}

describe('rankings by filters', () => {
	for (const each of oracle.filters) {
		it(`${each.name}: L1 norms, singular values, Lipschitz bounds and standard scores are numpy’s`, () => {
			const filters = filtersOf(floatTensor(each.kernel.dims, each.kernel.values), each.axis)
			expectClose(l1Norms(filters), each.l1)
			expectClose(filters.map(spectralNorm), each.spectral)
			expectClose(lipschitzBounds(filters, null), each.spectral)
			const bounds = lipschitzBounds(filters, normalization(each, each.epsilon))
			expectClose(bounds, each.clp)
			expectClose(standardScores(bounds), each.u, 1e-9)
		})
	}

	const matrix = fc
		.record({ rows: fc.integer({ min: 1, max: 8 }), columns: fc.integer({ min: 1, max: 8 }), seed: fc.nat() })
		.map(({ rows, columns, seed }): Filter => {
			const random = randomValues(seed)
			return { rows, columns, values: Float64Array.from({ length: rows * columns }, random) }
		})

	it('the largest singular value is what power iteration finds, and no matrix stretches a vector more', () => {
		fc.assert(
			fc.property(matrix, (each) => {
				const norm = spectralNorm(each)
				expect(Math.abs(norm - powerIteration(each))).toBeLessThan(1e-3 * norm)
				const random = randomValues(each.rows)
				for (let i = 0; i < 20; i++) {
					const x = Float64Array.from({ length: each.columns }, random)
					expect(length(multiply(each, x))).toBeLessThanOrEqual(norm * length(x) * (1 + ROUNDING))
				}
			}),
		)
	})

	it('a matrix of zeros has norm 0, one of rank one the product of its factors’ lengths', () => {
		expect(spectralNorm({ rows: 2, columns: 3, values: new Float64Array(6) })).toBe(0)
		const [a, b] = [Float64Array.of(3, 4), Float64Array.of(1, 2, 2)]
		const values = Float64Array.from({ length: 6 }, (_, i) => a[Math.floor(i / 3)]! * b[i % 3]!)
		expect(spectralNorm({ rows: 2, columns: 3, values })).toBeCloseTo(15, 12)
	})

	it('is the same for the transposed matrix, and scales with it', () => {
		fc.assert(
			fc.property(matrix, fc.double({ min: -8, max: 8, noNaN: true }), (each, factor) => {
				const { rows, columns, values } = each
				const turned = values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!)
				expectClose([spectralNorm({ rows: columns, columns: rows, values: turned })], [spectralNorm(each)])
				const scaled = { ...each, values: values.map((value) => value * factor) }
				expectClose([spectralNorm(scaled)], [Math.abs(factor) * spectralNorm(each)])
				expectClose(l1Norms([scaled]), [Math.abs(factor) * l1Norms([each])[0]!])
			}),
		)
	})

	it('a factor that moves from the filter into the normalization behind it changes no Lipschitz bound', () => {
		fc.assert(
			fc.property(matrix, fc.constantFrom(0.25, 0.5, -2, 4), (each, factor) => {
				const scaled = { ...each, values: each.values.map((value) => value * factor) }
				const [before, after] = [1, 1 / factor].map((scale) => normalization({ scale: [scale], variance: [0.5] }, 1e-3))
				expectClose(lipschitzBounds([scaled], after!), lipschitzBounds([each], before!))
			}),
		)
	})

	it('permuting filters permutes scores', () => {
		const { kernel, axis } = oracle.filters[0]!
		const filters = filtersOf(floatTensor(kernel.dims, kernel.values), axis)
		fc.assert(
			fc.property(fc.shuffledSubarray([...filters.keys()], { minLength: filters.length }), (order) => {
				const permuted = order.map((i) => filters[i]!)
				for (const score of [l1Norms, (list: readonly Filter[]) => lipschitzBounds(list, null)]) {
					expect(score(permuted)).toEqual(order.map((i) => score(filters)[i]!))
				}
			}),
		)
	})
})

type Make = (layout: ChannelLayout) => ChannelStatistic

describe('rankings by images', () => {
	const { activations, expected, ...stored } = oracle.images
	const [images, channels, ...positions] = activations.dims as [number, number, ...number[]]
	const values = Float32Array.from(activations.values)
	const layout = channelLayout({ shape: ['N', channels, ...positions], axis: 1, channels })
	const relu = values.map((value) => Math.max(0, value))
	const cases: [keyof typeof expected, Make, Float32Array][] = [
		['mean', (each) => new MeanActivation(each), values],
		['max', (each) => new MaxActivation(each), values],
		['apoz', (each) => new ShareOfZeros(each), relu],
		['bnp', (each) => new StatisticsDivergence(each, normalization(stored, stored.epsilon)), values],
	]
	const perImage = values.length / images

	for (const [name, make, data] of cases) {
		it(`${name} is what numpy computes`, () => {
			const statistic = make(layout)
			statistic.add(data, images)
			expectClose(statistic.result(), expected[name])
		})

		it(`${name} does not depend on batches, and goes on from its written state`, () => {
			fc.assert(
				fc.property(fc.integer({ min: 1, max: images - 1 }), (cut) => {
					const first = make(layout)
					first.add(data.subarray(0, cut * perImage), cut)
					const second = make(layout)
					second.restore(JSON.parse(JSON.stringify(first.state())))
					for (const each of [first, second]) each.add(data.subarray(cut * perImage), images - cut)
					expectClose(first.result(), expected[name])
					expect(second.result()).toEqual(first.result())
				}),
			)
		})

		it(`${name} is the same with channels last`, () => {
			const size = perImage / channels
			const turned = data.map((_, i) => {
				const [image, rest] = [Math.floor(i / perImage), i % perImage]
				return data[image * perImage + (rest % channels) * size + Math.floor(rest / channels)]!
			})
			const statistic = make(channelLayout({ shape: ['N', ...positions, channels], axis: 3, channels }))
			statistic.add(turned, images)
			expectClose(statistic.result(), expected[name])
		})
	}

	it('a channel that is dead on clean images diverges much, but finitely', () => {
		const dead = 2
		const statistic = new StatisticsDivergence(layout, normalization(stored, 1e-5))
		statistic.add(values, images)
		const scores = statistic.result()
		expect(scores.every(Number.isFinite)).toBe(true)
		expect(orderChannels(scores, 'highest')[0]).toBe(dead)
	})

	it('clean images distributed as in training do not diverge', () => {
		const mean = new MeanActivation(layout)
		mean.add(values, images)
		const variance = mean.result().map((each, channel) => {
			const own = [...values].filter((_, i) => Math.floor(i / (perImage / channels)) % channels === channel)
			return own.reduce((sum, value) => sum + (value - each) ** 2, 0) / (own.length - 1)
		})
		const statistic = new StatisticsDivergence(layout, normalization({ mean: mean.result(), variance }, 1e-5))
		statistic.add(values, images)
		for (const score of statistic.result()) expect(Math.abs(score)).toBeLessThan(1e-6)
	})
})

describe('random scores', () => {
	it('repeat for a seed, differ between seeds, and begin alike whatever the number of channels', () => {
		expect(randomScores(40, 7)).toEqual(randomScores(40, 7))
		expect(randomScores(40, 7)).not.toEqual(randomScores(40, 8))
		expect(randomScores(100, 7).slice(0, 40)).toEqual(randomScores(40, 7))
	})
})

describe('orders', () => {
	it('prune the named end first, ties by channel number', () => {
		expect(orderChannels([3, 1, 2, 1])).toEqual([1, 3, 2, 0])
		expect(orderChannels([3, 1, 2, 3], 'highest')).toEqual([0, 3, 2, 1])
	})

	it('standard scores have mean 0 and unbiased deviation 1, and are all 0 where nothing stands out', () => {
		fc.assert(
			fc.property(
				fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 2, maxLength: 20 }),
				(scores) => {
					fc.pre(Math.max(...scores) - Math.min(...scores) > 1e-3)
					const z = standardScores(scores)
					expect(Math.abs(z.reduce((a, b) => a + b, 0))).toBeLessThan(1e-9)
					expectClose([z.reduce((a, b) => a + b * b, 0) / (z.length - 1)], [1], 1e-9)
				},
			),
		)
		expect(standardScores([4, 4, 4])).toEqual([0, 0, 0])
		expect(standardScores([4])).toEqual([0])
	})
})

function multiply({ values, rows, columns }: Filter, x: Float64Array): Float64Array {
	return Float64Array.from({ length: rows }, (_, row) =>
		x.reduce((sum, each, i) => sum + each * values[row * columns + i]!, 0),
	)
}

function length(x: Float64Array): number {
	return Math.sqrt(x.reduce((sum, each) => sum + each * each, 0))
}

/** The textbook's way to the same number: `x ← AᵀA x / |AᵀA x|`. */
function powerIteration(matrix: Filter): number {
	const { values, rows, columns } = matrix
	const turned = {
		rows: columns,
		columns: rows,
		values: values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!),
	}
	let x = Float64Array.from({ length: columns }, (_, i) => 1 + i / 7)
	for (let i = 0; i < 3000; i++) {
		const next = multiply(turned, multiply(matrix, x))
		const norm = length(next)
		x = next.map((each) => each / norm)
	}
	return length(multiply(matrix, x))
}
