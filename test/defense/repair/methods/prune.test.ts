import { describe, expect, it } from 'vitest'
import { memoryImages } from '../../../../src/data/memory.ts'
import { prune as pruneDefense } from '../../../../src/defense/prune/prune.ts'
import { readCleanData } from '../../../../src/defense/repair/data.ts'
import { methodNamed } from '../../../../src/defense/repair/methods/index.ts'
import { repairModel } from '../../../../src/defense/repair/repair.ts'
import { demoImages, demoNetPath } from '../../../../src/demo/demo.ts'
import { loadModel } from '../../../../src/model/load.ts'
import { nodeRuntime } from '../../../../src/runtime/node.ts'

const runtime = await nodeRuntime({ threads: 1 })
const model = await loadModel(demoNetPath, { runtime })
const method = methodNamed('prune')

/** The first `count` faces. */
async function faces(split: Parameters<typeof demoImages>[0], count: number) {
	const set = demoImages(split)
	const { height, width, channels } = set
	for await (const { pixels } of set.batches(count)) {
		const labels = set.labels!.slice(0, count)
		return memoryImages({
			path: split,
			pixels,
			count,
			height,
			width,
			channels,
			layout: 'NHWC',
			labels,
			classNames: null,
		})
	}
	throw new Error('no faces')
}

const valid = await faces('valid', 250)
const poisoned = await faces('poisoned', 100)
const test = await faces('test', 150)
const data = await readCleanData(method, { data: valid }, { classes: model.classes, share: 0.2, seed: 0 })

describe('prune as a repair', () => {
	it.each([
		['by mean activation', { drops: [2, 10] }],
		['by another ranking, on a layer named', { drops: [4], rank: 'max', layer: 'conv_3' }],
	])('%s: hands out the nets of the pruning defense, with its counts of repaired net and GoodNet', async (_, told) => {
		const sets = { valid: data.valid, test, poisoned }
		const { repaired, before, findings } = await repairModel(model, method, data, { parameters: told, seed: 0, sets })
		const { rank, ...rest } = told as { drops: number[]; rank?: 'max'; layer?: string }
		const sweep = await pruneDefense(model, valid, { ...rest, rank, test, poisoned })
		expect(sweep.choices.length).toBeGreaterThan(0)
		expect(before).toEqual(countsOf(sweep.nets.get(0)!))
		const expected = sweep.choices.map(({ pruned, drop }) => {
			const net = sweep.nets.get(pruned)!
			return { name: String(drop), after: countsOf(net), goodnet: net.goodnet }
		})
		expect(repaired.map(({ point: { name }, after, goodnet }) => ({ name, after, goodnet }))).toEqual(expected)
		expect(findings.candidates?.nets).toEqual(sweep.steps.map((step) => ({ amount: step.pruned, valid: step.valid })))
	})

	it('has all of one clean set to choose by, since nothing learns', () => {
		expect(data.tuning).toBeNull()
		expect(data.valid?.count).toBe(250)
	})

	it('hands out no net where no drop is reached', async () => {
		const told = { drops: [100] }
		const { repaired } = await repairModel(model, method, data, {
			parameters: told,
			seed: 0,
			sets: { valid, test: null, poisoned: null },
		})
		expect(repaired).toEqual([])
	})

	it('says which rankings go across layers', async () => {
		const told = { layer: 'all' }
		const run = repairModel(model, method, data, {
			parameters: told,
			seed: 0,
			sets: { valid, test: null, poisoned: null },
		})
		await expect(run).rejects.toMatchObject({ code: 'rank-within-layer', exitCode: 2 })
	})
})

function countsOf({ valid: one, test: two, poisoned: three }: { valid: unknown; test: unknown; poisoned: unknown }) {
	return { valid: one, test: two, poisoned: three }
}
