import { describe, expect, it } from 'vitest'
import { preprocess } from '../../../../src/data/preprocess.ts'
import { perturbationProblem } from '../../../../src/defense/repair/neurons/perturbation-problem.ts'
import { neuronPlaces } from '../../../../src/defense/repair/neurons/places.ts'
import { floatTensor } from '../../../../src/graph/graph.ts'
import { feedOf } from '../../../../src/model/predict.ts'
import { LABELS } from '../../../../src/train/problem.ts'
import { expectAllclose } from '../../../helpers/gradients.ts'
import { images, makeNet } from '../../../train/small-net.ts'
import { runProblem, stored } from '../run-problem.ts'

/** The small net with a scale and a shift that are not 1 and 0. */
async function scaledNet() {
	const net = await makeNet()
	const filled = (value: number) => floatTensor([4], new Float32Array(4).fill(value))
	const initializers = new Map([
		...net.graph.initializers,
		['gamma', filled(0.8)],
		['beta', filled(0.3)],
		['variance', filled(2)],
	])
	return { ...net, graph: { ...net.graph, initializers } }
}

function feeds(model: Awaited<ReturnType<typeof makeNet>>) {
	const batch = { start: 0, count: 8, pixels: images.pixels }
	const pixels = preprocess(batch, { ...images, layout: 'NHWC' }, model.input, model.preprocessing)
	const labels = BigInt64Array.from(images.labels, BigInt)
	return { ...feedOf(model, pixels, 8), [LABELS]: { dims: [8], data: labels } }
}

describe('the problem of adversarial neuron pruning', () => {
	it('has the loss and the gradient for the masks that PyTorch computes', async () => {
		const model = await scaledNet()
		const problem = await perturbationProblem(model, neuronPlaces(model, 'anp'), { batch: 8, epsilon: 0.4, alpha: 0.2 })
		const { loss, gradient } = await runProblem(model, problem, feeds(model))
		expectAllclose([loss], [stored.neurons.loss], { rtol: 1e-5 })
		expectAllclose(gradient(problem.masks[0]!), stored.neurons.mask, { rtol: 1e-3, atol: 1e-5 })
	})

	it('is the plain loss where nothing is disturbed', async () => {
		const model = await scaledNet()
		const places = neuronPlaces(model, 'anp')
		const still = await perturbationProblem(model, places, { batch: 8, epsilon: 0, alpha: 0.2 })
		const plain = await perturbationProblem(model, places, { batch: 8, epsilon: 0.4, alpha: 1 })
		const disturbed = await perturbationProblem(model, places, { batch: 8, epsilon: 0.4, alpha: 0 })
		const lossOf = async (problem: typeof still) => (await runProblem(model, problem, feeds(model))).loss
		expect(await lossOf(still)).toBeCloseTo(await lossOf(plain), 5)
		expect(await lossOf(disturbed)).toBeGreaterThan(await lossOf(plain))
	})
})
