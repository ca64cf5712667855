import { describe, expect, it } from 'vitest'
import { attentionPlaces } from '../../../src/defense/repair/attention.ts'
import { fineTuning } from '../../../src/defense/repair/methods/fine-tuning.ts'
import { nad } from '../../../src/defense/repair/methods/nad.ts'
import { floatTensor, makeNode } from '../../../src/graph/graph.ts'
import { dependentsOf } from '../../../src/graph/query.ts'
import type { Model } from '../../../src/model/model.ts'
import { createModel } from '../../../src/train/create-model.ts'
import { trainingForm } from '../../../src/train/training-form.ts'
import { preActResNet } from '../../helpers/architectures/resnet.ts'
import { modelOf } from '../../helpers/models.ts'
import { wrapGraph } from '../../helpers/networks.ts'
import { runtime } from '../../lab/subjects.ts'
import { makeNet } from '../../train/small-net.ts'
import { repairWith, wavyData, weightsOf } from './small-repair.ts'

describe('places of attention (their loss beside PyTorch: torch.test.ts)', () => {
	const sizesOf = (model: Model) =>
		attentionPlaces(model, trainingForm(model).graph).map(({ name, axis }) =>
			model.values.get(name)!.shape!.toSpliced(axis, 1).slice(1).join('×'),
		)

	it('end the groups of a residual net', async () => {
		const net = await modelOf(preActResNet({ size: 16, classes: 5, widths: [4, 5, 6, 7], blocks: 2 }))
		expect(sizesOf(net)).toEqual(['8×8', '4×4', '2×2'])
		const [last] = attentionPlaces(net, trainingForm(net).graph).slice(-1)
		const dependents = dependentsOf(net.graph, [last!.name])
		expect([...dependents].some(({ op }) => op === 'Conv')).toBe(false)
	})

	it('follow the poolings of a plain net', async () => {
		const net = await createModel('small-cnn', { height: 32, width: 32, channels: 3 }, 10, { seed: 1, runtime })
		expect(sizesOf(net)).toEqual(['16×16', '8×8', '4×4'])
	})
})

describe('nad', () => {
	const told = { epochs: 3, lr: 0.05 }

	it('without a weight on attention is fine-tuning', async () => {
		const [taught, tuned] = [
			await repairWith(nad, await makeNet(), wavyData, { ...told, beta: 0 }),
			await repairWith(fineTuning, await makeNet(), wavyData, told),
		]
		expect(weightsOf(taught.points[0]!.model)).toEqual(weightsOf(tuned.points[0]!.model))
	})

	it('hands out a net of the same nodes: the teacher is gone', async () => {
		const model = await makeNet()
		const { points } = await repairWith(nad, model, wavyData, told)
		const { graph } = points[0]!.model
		expect(graph.nodes).toEqual(model.graph.nodes)
		expect([...graph.initializers.keys()]).toEqual([...model.graph.initializers.keys()])
	})

	it('does not apply to a net without maps, and says so', async () => {
		const nodes = [makeNode('Flatten', ['x'], ['flat']), makeNode('MatMul', ['flat', 'w'], ['output'])]
		const weights = floatTensor(
			[108, 3],
			Float32Array.from({ length: 324 }, (_, i) => Math.sin(i)),
		)
		const graph = wrapGraph(nodes, new Map([['w', weights]]), ['N', 3, 6, 6], ['N', 3])
		await expect(repairWith(nad, await modelOf(graph), wavyData, told)).rejects.toMatchObject({
			code: 'not-applicable',
			exitCode: 3,
			message:
				'test.onnx: nad needs convolutions, whose maps show where a net looks, and this net has none that its answer is computed from',
		})
	})
})
