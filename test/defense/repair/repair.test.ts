import { describe, expect, it } from 'vitest'
import { evaluateClean, evaluatePoisoned } from '../../../src/defense/evaluate.ts'
import { GoodNet } from '../../../src/defense/goodnet.ts'
import { defineMethod, NO_FINDINGS, type RepairData } from '../../../src/defense/repair/method.ts'
import { repairModel } from '../../../src/defense/repair/repair.ts'
import { replaceConstants } from '../../../src/graph/edit.ts'
import { floatsOf, floatTensor } from '../../../src/graph/graph.ts'
import type { Model } from '../../../src/model/model.ts'
import { stripes } from '../../helpers/pictures.ts'
import { clean, TARGET, trainBadNet, triggered } from './subject.ts'

const NO_DATA: RepairData = { tuning: null, valid: null, unlabeled: null }
const badnet = await trainBadNet()

/** A repair that does something to every net and needs nothing: noise on the weights, so that answers differ here and there. */
const shaking = defineMethod({
	name: 'fine-tuning',
	summary: '',
	needs: [],
	parameters: { amount: { meaning: 'share', default: 0.3, low: 0, high: 1 } },
	async repair(model, _, { parameters: { amount } }) {
		return { points: [{ name: '', chosenBy: 'hand', model: shaken(model, amount) }], findings: NO_FINDINGS }
	},
})

function shaken(model: Model, amount: number): Model {
	const changed = [...model.graph.initializers].flatMap(([name, tensor]) => {
		if (tensor.dtype !== 'float32') return []
		const values = floatsOf(tensor).map((value, i) => value * (1 + amount * Math.sin(12.9898 * i)))
		return [[name, { ...floatTensor(tensor.dims, values), ...(tensor.origin && { origin: tensor.origin }) }] as const]
	})
	return { ...model, graph: replaceConstants(model.graph, new Map(changed)) }
}

describe('repairModel', () => {
	it('counts what evaluate counts on the nets themselves and on the GoodNet as a graph', async () => {
		const test = clean(15, 7)
		const poisoned = triggered(stripes(15, 7))
		const sets = { valid: clean(4, 8), test, poisoned, target: TARGET }
		const { before, repaired, parameters } = await repairModel(badnet, shaking, NO_DATA, { seed: 0, sets })
		expect(parameters).toEqual({ amount: 0.3 })
		const [{ point, after, goodnet }] = repaired as [(typeof repaired)[number]]
		const options = { target: TARGET }
		const plain = async (model: Model) => ({
			test: strip(await evaluateClean(model, test)),
			poisoned: strip(await evaluatePoisoned(model, poisoned, options)),
		})
		expect(before).toMatchObject(await plain(badnet))
		expect(after).toMatchObject(await plain(point.model))
		const guard = GoodNet.of(badnet, point.model)
		expect(goodnet.test).toEqual(await evaluateClean(guard, test))
		expect(goodnet.poisoned).toEqual(await evaluatePoisoned(guard, poisoned, options))
		// The two nets must differ, or this would prove nothing.
		expect(goodnet.test!.rejected).toBeGreaterThan(0)
		expect(goodnet.poisoned!.rejected).toBeGreaterThan(0)
		expect(after.valid!.total).toBe(16)
	})

	it('measures agreement with B on a test set without labels', async () => {
		const sets = { valid: null, test: { ...clean(5, 7), labels: null }, poisoned: null }
		const { before, repaired } = await repairModel(badnet, shaking, NO_DATA, { seed: 0, sets })
		expect(before).toEqual({ valid: null, test: { correct: 20, total: 20 }, poisoned: null })
		const [{ after, goodnet }] = repaired as [(typeof repaired)[number]]
		expect(after.test!.correct).toBe(goodnet.test!.correct)
		expect(goodnet.test!.correct + goodnet.test!.rejected).toBe(20)
	})

	it('says what is wrong with a set before it works for hours', async () => {
		const idle = { ...shaking, repair: () => Promise.reject(new Error('ran')) }
		const wrong = { ...clean(2, 1), labels: new Int32Array(8).fill(9) }
		const options = { seed: 0, sets: { valid: null, test: wrong, poisoned: null } }
		await expect(repairModel(badnet, idle, NO_DATA, options)).rejects.toMatchObject({ code: 'label-out-of-range' })
		const mixed = { seed: 0, sets: { valid: null, test: null, poisoned: clean(2, 1) } }
		await expect(repairModel(badnet, idle, NO_DATA, mixed)).rejects.toMatchObject({ code: 'no-target' })
		const told = { seed: 0, parameters: { amount: 2 }, sets: { valid: null, test: null, poisoned: null } }
		await expect(repairModel(badnet, idle, NO_DATA, told)).rejects.toMatchObject({ code: 'bad-parameter' })
	})

	it('leaves the net as it was', async () => {
		const bytes = [...badnet.graph.initializers.values()].map((tensor) => tensor.bytes.slice())
		await repairModel(badnet, shaking, NO_DATA, { seed: 0, sets: { valid: null, test: null, poisoned: null } })
		expect([...badnet.graph.initializers.values()].map((tensor) => tensor.bytes)).toEqual(bytes)
	})
})

function strip<Count extends { rejected: number | null }>({ rejected, ...counts }: Count) {
	expect(rejected).toBeNull()
	return counts
}
