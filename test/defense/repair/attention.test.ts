import { describe, expect, it } from 'vitest'
import { attentionPlaces } from '../../../src/defense/repair/attention.ts'
import { fineTuning } from '../../../src/defense/repair/methods/fine-tuning.ts'
import { nad } from '../../../src/defense/repair/methods/nad.ts'
import { floatTensor, makeNode } from '../../../src/graph/graph.ts'
import { createModel } from '../../../src/train/create-model.ts'
import { trainingForm } from '../../../src/train/training-form.ts'
import { modelOf } from '../../helpers/models.ts'
import { wrapGraph } from '../../helpers/networks.ts'
import { runtime } from '../../lab/subjects.ts'
import { makeNet } from '../../train/small-net.ts'
import { repairWith, wavyData, weightsOf } from './small-repair.ts'

describe('places of attention (their loss beside PyTorch: torch.test.ts)', () => {
	const placesOf = async (architecture: string) => {
		const size = { height: 32, width: 32, channels: 3 }
		const model = await createModel(architecture, size, 10, { seed: 1, runtime })
		const places = attentionPlaces(model, trainingForm(model).graph)
		return places.map(({ name, axis }) => ({ name, size: model.values.get(name)!.shape!.toSpliced(axis, 1).slice(1) }))
	}

	it('end the last three groups of a residual net', async () => {
		const places = await placesOf('preact-resnet18')
		expect(places.map(({ size }) => size)).toEqual([
			[16, 16],
			[8, 8],
			[4, 4],
		])
	})

	it('follow the poolings of a plain net', async () => {
		const places = await placesOf('small-cnn')
		const sides = places.map(({ size }) => Number(size[0]))
		expect(sides).toEqual([...new Set(sides)].sort((a, b) => b - a))
		expect(places.length).toBeGreaterThan(1)
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
