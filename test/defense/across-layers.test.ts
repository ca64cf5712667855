/** One order over all layers: every net of the curve is what the written file is, and the chosen ones are known to the channel. */
import { describe, expect, it } from 'vitest'
import { pruneAcross } from '../../src/defense/prune/across-layers.ts'
import { pruneBlindly } from '../../src/defense/prune/blind.ts'
import { hasFallen } from '../../src/defense/prune/elbow.ts'
import { RANKINGS } from '../../src/defense/prune/rank/rankings.ts'
import { pruneUnits } from '../../src/defense/prune/repaired.ts'
import { decodeOnnx, encodeOnnx } from '../../src/graph/onnx.ts'
import { dropReached } from '../../src/metrics/rates.ts'
import { predictLabels } from '../../src/model/predict.ts'
import { OTHER_FORMS } from '../helpers/architectures/builder.ts'
import { SMALL_NETS } from '../helpers/architectures/small.ts'
import { vgg } from '../helpers/architectures/vgg.ts'
import { modelOf, randomImages } from '../helpers/models.ts'
import { PLAIN_SHAPE, randomCnn } from '../helpers/networks.ts'

const ACROSS = ['clp', 'bnp', 'random'] as const

describe('pruning across layers', () => {
	for (const [i, { name, build }] of SMALL_NETS.entries()) {
		const rank = ACROSS[i % ACROSS.length]!
		it(`${name} by ${rank}: measured nets are the written ones, and chosen ones the first of their kind`, async () => {
			const model = await modelOf(build({ seed: 3 }))
			const images = randomImages(model, 40, 5)
			const answers = await predictLabels(model, images)
			const labelled = { ...images, labels: answers }
			const sweep = await pruneAcross(model, labelled, { rank, drops: [2, 20], test: images })
			const units = sweep.layers.reduce((sum, { channels }) => sum + channels, 0)
			expect([...sweep.order].sort((a, b) => a - b)).toEqual([...Array(units).keys()])
			expect(sweep.steps[0]!.valid).toEqual({ correct: 40, total: 40 })
			expect(sweep.steps.at(-1)!.pruned).toBe(units)

			const chosen = sweep.choices.map(({ pruned }) => pruned)
			for (const pruned of new Set([3, ...chosen, units])) {
				const written = encodeOnnx(pruneUnits(model, sweep.layers, sweep.order.slice(0, pruned)).graph)
				const labels = await predictLabels(await modelOf(decodeOnnx(written)), images)
				const { valid, test, goodnet } = sweep.nets.get(pruned)!
				const agree = labels.filter((label, j) => label === answers[j]).length
				const correct = labels.filter((label, j) => label === images.labels![j]).length
				expect(valid).toEqual({ correct: agree, total: 40 })
				expect(test).toEqual({ correct, total: 40 })
				expect(goodnet.valid).toEqual({ correct: agree, rejected: 40 - agree, total: 40 })
			}
			for (const { drop, pruned } of sweep.choices.filter(({ chosenBy }) => chosenBy === 'drop')) {
				const reaches = (n: number) => dropReached(40, sweep.nets.get(n)!.valid.correct, 40, drop!)
				expect(reaches(pruned)).toBe(true)
				expect([...sweep.nets.keys()].filter((n) => n < pruned).some(reaches)).toBe(false)
				expect(sweep.nets.has(pruned - 1)).toBe(true)
			}
			if (sweep.elbow === null) return
			const falls = (n: number) =>
				hasFallen(sweep.nets.get(0)!.valid, sweep.nets.get(n)!.valid, sweep.nets.get(n)!.goodnet.valid)
			expect(falls(sweep.elbow + 1)).toBe(true)
			expect([...sweep.nets.keys()].filter((n) => n <= sweep.elbow!).some(falls)).toBe(false)
		})
	}

	it('compares layers by standard scores: the units of each layer are ordered as that layer alone is', async () => {
		const model = await modelOf(vgg({ size: 8, classes: 5, widths: [4, 5, 6], stages: 2 }))
		const images = randomImages(model, 20, 1)
		const { layers, order, ranking } = await pruneAcross(model, images, { rank: 'clp', drops: [50] })
		let first = 0
		for (const layer of layers) {
			const own = ranking.scores.slice(first, first + layer.channels)
			expect(Math.abs(own.reduce((a, b) => a + b, 0))).toBeLessThan(1e-9)
			const single = RANKINGS.clp.needs === 'weights' ? RANKINGS.clp.score(model, layer) : []
			const within = order.filter((unit) => unit >= first && unit < first + layer.channels).map((unit) => unit - first)
			expect(within).toEqual([...single.keys()].sort((a, b) => single[b]! - single[a]! || a - b))
			first += layer.channels
		}
		const inOrder = order.map((unit) => ranking.scores[unit]!)
		expect(inOrder).toEqual([...inOrder].sort((a, b) => b - a))
	})

	it('the threshold takes exactly the units above it, with data and without', async () => {
		const model = await modelOf(vgg({ size: 8, classes: 5, widths: [4, 5, 6], stages: 2 }))
		const images = randomImages(model, 20, 1)
		const sweep = await pruneAcross(model, images, { rank: 'clp', u: 1, drops: [50] })
		const above = sweep.ranking.scores.filter((z) => z > 1).length
		const threshold = sweep.choices.find(({ chosenBy }) => chosenBy === 'threshold')
		expect(threshold).toEqual({ chosenBy: 'threshold', drop: null, u: 1, pruned: above })
		const blind = await pruneBlindly(model, { rank: 'clp', u: 1, layer: 'all' })
		expect(blind.order).toEqual(sweep.order)
		expect(encodeOnnx(blind.repaired.graph)).toEqual(encodeOnnx(sweep.repaired('threshold').graph))
	})

	it('random is reproducible by its seed', async () => {
		const model = await modelOf(randomCnn({ ...PLAIN_SHAPE, channels: 6 }))
		const images = randomImages(model, 10, 1)
		const order = async (seed: number) => (await pruneAcross(model, images, { rank: 'random', seed })).order
		expect(await order(4)).toEqual(await order(4))
		expect(await order(4)).not.toEqual(await order(5))
	})

	it('says by name what cannot be ranked across layers', async () => {
		const model = await modelOf(vgg({ size: 8, classes: 5, widths: [4, 5], stages: 2, forms: OTHER_FORMS }))
		const images = randomImages(model, 4, 1)
		for (const rank of ['mean', 'max', 'apoz', 'l1'] as const) {
			await expect(pruneAcross(model, images, { rank })).rejects.toMatchObject({
				code: 'rank-within-layer',
				exitCode: 2,
				message: expect.stringMatching(new RegExp(`^${rank} ranks .* clp, bnp, random$`)),
			})
		}
		await expect(pruneAcross(model, images, { rank: 'bnp' })).rejects.toMatchObject({
			code: 'rank-does-not-apply',
			exitCode: 3,
			message: expect.stringMatching(/the net has none as a layer of its own/),
		})
		await expect(pruneBlindly(model, { rank: 'bnp', u: 1 })).rejects.toMatchObject({ code: 'needs-data', exitCode: 2 })
		await expect(pruneBlindly(model, { rank: 'l1', u: 1 })).rejects.toMatchObject({ code: 'no-threshold', exitCode: 2 })
	})
})

describe('the elbow', () => {
	const baseline = { correct: 900, total: 1000 }
	/** A net that gets `lost` images wrong that B got right, and `won` the other way. */
	const fallen = (lost: number, won: number, total = 1000, correct = 900) =>
		hasFallen(
			{ correct, total },
			{ correct: correct - lost + won, total },
			{ correct: correct - lost, rejected: lost + won, total },
		)

	it('is before a loss of more than a point that chance does not explain', () => {
		expect(fallen(11, 0)).toBe(true)
		expect(fallen(30, 10)).toBe(true)
	})

	it('is not before a loss that chance explains, nor before one of a point or less, however sure', () => {
		expect(fallen(60, 45)).toBe(false)
		expect(fallen(10, 0)).toBe(false)
		expect(fallen(1000, 0, 100_000, 90_000)).toBe(false)
		expect(fallen(0, 30)).toBe(false)
		expect(hasFallen(baseline, baseline, { ...baseline, rejected: 0 })).toBe(false)
	})
})
