import { expect, it } from 'vitest'
import { makeAttack } from '../../../src/attack/make-attack.ts'
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
	it('of 160 units of the sum, few carry the backdoor', async () => {
		expect(typeof makeAttack).toBe('function')
		const runtime = await nodeRuntime({ threads: 1 })
		const model = await loadModel(sharedPath('models/backdoored/face-lab3-sunglasses/bd_net.h5'), { runtime })
		const clean = await openImages(sharedPath('csaw/mini_valid.h5'))
		const triggered = await openImages(sharedPath('csaw/mini_bd.h5'))
		const layer = chooseLayer(model, 'add_1')
		const [order] = await orderByTrigger(model, [layer], clean, triggered)
		const sets = { clean, triggered, target: 0 }
		const counts = await countPrefixes(model, layer, order!.slice(0, 12), sets)
		const rates = counts.clean.map(({ correct, total }, i) => {
			const { hits, total: all } = counts.triggered[i]!
			return [correct / total, hits / all]
		})
		console.log(rates, clean.count, triggered.count)
	}, 60_000)
})
