import { describe, expect, it } from 'vitest'
import { memoryImages } from '../../../src/data/memory.ts'
import type { PruningRecord } from '../../../src/defense/prune/repaired.ts'
import { layersToPrune, pruneIdle } from '../../../src/defense/repair/idle-channels.ts'
import { finePruning } from '../../../src/defense/repair/methods/fine-pruning.ts'
import { floatsOf, floatTensor, makeNode } from '../../../src/graph/graph.ts'
import { isZeroSlice } from '../../../src/graph/slices.ts'
import type { Model } from '../../../src/model/model.ts'
import { SMALL_NETS } from '../../helpers/architectures/small.ts'
import { modelOf, randomImages } from '../../helpers/models.ts'
import { wrapGraph } from '../../helpers/networks.ts'
import { data, repairWith, smallBadNet, wavyData, weightsOf } from './small-repair.ts'

const { model } = await smallBadNet()
const told = { epochs: 2, lr: 0.02, decay: 0.01 }

/** Are the filters of every recorded channel zero? */
function expectSilent(
	original: Model,
	repaired: Model,
	pruning: readonly { layer: string; channels: readonly number[] }[],
) {
	for (const { layer, channels } of pruning) {
		const { filters } = layersToPrune(original, 'all').find(({ name }) => name === layer)!
		expect(filters.length).toBeGreaterThan(0)
		for (const { name, axis } of filters) {
			const tensor = repaired.graph.initializers.get(name)!
			for (const channel of channels) expect(isZeroSlice(tensor, axis, channel), `${name} ${channel}`).toBe(true)
		}
	}
}

describe('fine-pruning', () => {
	for (const layers of ['last', 'all']) {
		it(`of ${layers}: pruned channels are still zero after tuning, the others have learned`, async () => {
			const { points, findings } = await repairWith(finePruning, model, data, { ...told, layers })
			const { model: repaired, chosenBy } = points[0]!
			const pruning = repaired.pruning!
			const count = pruning.reduce((sum, { channels }) => sum + channels.length, 0)
			expect(count).toBeGreaterThan(layers === 'last' ? 1 : 10)
			expect(pruning.length)[layers === 'last' ? 'toBe' : 'toBeGreaterThan'](1)
			expectSilent(model, repaired, pruning)
			expect(chosenBy).toBe(`${count} idle channels pruned, then after 2 epochs at learning rate 0.02`)
			expect(findings.candidates!.quantity).toBe('channels pruned')
			expect(weightsOf(repaired)).not.toEqual(weightsOf(model))
		})
	}

	it('prunes in all layers no more than is allowed, and in the last all that is', async () => {
		for (const which of ['last', 'all']) {
			const layers = layersToPrune(model, which)
			const { measured, pruning } = await pruneIdle(model, layers, data.valid!, { drop: 10 })
			const count = pruning.reduce((sum, { channels }) => sum + channels.length, 0)
			const kept = measured.findLast(({ amount }) => amount === count)!
			expect(measured[0]!.valid.correct - kept.valid.correct).toBeLessThan(10)
			if (which === 'last')
				expect(measured[0]!.valid.correct - measured.at(-1)!.valid.correct).toBeGreaterThanOrEqual(10)
		}
	})

	for (const { name, build } of SMALL_NETS) {
		it(`${name}: takes each convolution once, the last one first`, async () => {
			const net = await modelOf(build({ seed: 3 }))
			const filters = layersToPrune(net, 'all').map((layer) => layer.filters[0]!.name)
			expect(new Set(filters).size).toBe(filters.length)
			const places = filters.map((each) => net.graph.nodes.findIndex(({ inputs }) => inputs.includes(each)))
			expect(places).toEqual([...places].sort((a, b) => b - a))
		})
	}

	it('of a residual net: a mask node stays as it is while the rest learns', async () => {
		const net = await modelOf(SMALL_NETS.find(({ name }) => name === 'ResNet')!.build({ seed: 3 }))
		const { labels } = randomImages(net, 40, 5)
		const pixels = Uint8Array.from({ length: 40 * 8 * 8 * 3 }, (_, i) => (31 * i * i) % 256)
		const set = { pixels, labels: labels!, count: 40, height: 8, width: 8, channels: 3 }
		const valid = memoryImages({ ...set, path: 'valid', layout: 'NHWC', classNames: null })
		const [layer] = layersToPrune(net, 'last')
		expect(layer!.intervention).toBe('mask')
		const sets = { tuning: set, valid, unlabeled: null }
		const { points } = await repairWith(finePruning, net, sets, { ...told, 'prune-drop': 100 })
		const { model: repaired } = points[0]!
		const [{ channels, intervention }] = repaired.pruning as [PruningRecord]
		expect(intervention).toBe('mask')
		const mask = floatsOf(repaired.graph.initializers.get(`${layer!.name}/goodnet_mask`)!)
		expect([...mask].map((factor, i) => (factor === 0 ? i : -1)).filter((i) => i >= 0)).toEqual(
			[...channels].sort((a, b) => a - b),
		)
	})

	it('does not apply to a net without convolutions, and says so', async () => {
		const nodes = [makeNode('Flatten', ['x'], ['flat']), makeNode('MatMul', ['flat', 'w'], ['output'])]
		const weights = new Map([['w', floatTensor([108, 3], new Float32Array(324).fill(0.1))]])
		const net = await modelOf(wrapGraph(nodes, weights, ['N', 3, 6, 6], ['N', 3]))
		await expect(repairWith(finePruning, net, wavyData, told)).rejects.toMatchObject({
			code: 'not-applicable',
			exitCode: 3,
			message: expect.stringMatching(
				/^test\.onnx: fine-pruning needs a convolution whose channels can be pruned, and this net has no convolution to prune here/,
			),
		})
	})
})
