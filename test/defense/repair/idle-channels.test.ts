import { describe, expect, it } from 'vitest'
import { layersToPrune, pruneIdle } from '../../../src/defense/repair/idle-channels.ts'
import { finePruning } from '../../../src/defense/repair/methods/fine-pruning.ts'
import { floatTensor, makeNode } from '../../../src/graph/graph.ts'
import { isZeroSlice } from '../../../src/graph/slices.ts'
import type { Model } from '../../../src/model/model.ts'
import { createModel } from '../../../src/train/create-model.ts'
import { modelOf } from '../../helpers/models.ts'
import { PLAIN_SHAPE, randomCnn, wrapGraph } from '../../helpers/networks.ts'
import { runtime } from '../../lab/subjects.ts'
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

	it('keeps a mask a mask where filters cannot silence a channel', async () => {
		const residual = await modelOf(
			randomCnn({
				...PLAIN_SHAPE,
				size: 6,
				colours: 3,
				channels: 6,
				classes: 3,
				residual: true,
				activation: 'Sigmoid',
			}),
		)
		const own = { ...residual, preprocessing: { ...residual.preprocessing, scale: 1 / 255 } }
		const masked = layersToPrune(own, 'last')[0]!
		const forced = { ...masked, intervention: 'mask' as const, filters: [] }
		const { masks } = await pruneIdle(own, [forced], wavyData.valid!, { drop: 100 })
		expect(masks.size).toBe(0)
	})

	it('takes each convolution once, the last one first', async () => {
		const size = { height: 32, width: 32, channels: 3 }
		for (const architecture of ['small-cnn', 'preact-resnet18']) {
			const net = await createModel(architecture, size, 10, { seed: 1, runtime })
			const filters = layersToPrune(net, 'all').map((layer) => layer.filters[0]!.name)
			expect(new Set(filters).size).toBe(filters.length)
			const places = filters.map((name) => net.graph.nodes.findIndex(({ inputs }) => inputs.includes(name)))
			expect(places).toEqual([...places].sort((a, b) => b - a))
		}
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
