import { expect, it } from 'vitest'
import { openImages } from '../../../src/data/open.ts'
import { chooseLayer } from '../../../src/defense/prune/layer.ts'
import { allowedPrefix, countPrefixes, orderByTrigger } from '../../../src/defense/repair/triggered-units.ts'
import { loadModel } from '../../../src/model/load.ts'
import { nodeRuntime } from '../../../src/runtime/node.ts'
import { describeShared, sharedPath } from '../../helpers/shared.ts'

it('allows what loses at most so many points, up to the first that loses more', () => {
	const counts = [100, 99, 98, 97, 100].map((correct) => ({ correct, total: 100 }))
	expect(allowedPrefix(counts, 2)).toBe(2)
	expect(allowedPrefix(counts, 0)).toBe(0)
	expect(allowedPrefix(counts, 3)).toBe(4)
})

describeShared('the lab’s face net, its units ranked with the true trigger (an oracle)', () => {
	it('of 160 units of the sum, ten carry the whole backdoor', async () => {
		const runtime = await nodeRuntime({ threads: 1 })
		const model = await loadModel(sharedPath('models/backdoored/face-lab3-sunglasses/bd_net.h5'), { runtime })
		const clean = await openImages(sharedPath('csaw/mini_valid.h5'))
		const triggered = await openImages(sharedPath('csaw/mini_bd.h5'))
		const layer = chooseLayer(model, 'activation_1')
		const [order] = await orderByTrigger(model, [layer], clean, triggered)
		const sets = { clean, triggered: { ...triggered, labels: null }, target: 0 }
		const counts = await countPrefixes(model, layer, order!.slice(0, 12), sets)
		const correct = (units: number) => counts.clean[units]!.correct
		const hits = (units: number) => counts.triggered[units]!.hits
		expect([correct(0), hits(0)]).toEqual([52, 52])
		// Measured: 49 right and 7 led to the target with 8 units silenced, 48 and none with 10.
		expect(hits(8)).toBeLessThanOrEqual(10)
		expect(hits(10)).toBe(0)
		expect(correct(10)).toBeGreaterThanOrEqual(47)
	}, 60_000)
})
