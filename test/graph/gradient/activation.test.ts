import fc from 'fast-check'
import { describe, it } from 'vitest'
import { awayFrom, checkGradient, expectAllclose, gradientsOf, operatorGraph, wave } from '../../helpers/gradients.ts'

const W = (i: number) => Math.cos(0.7 * i + 0.3)

/** Derivatives at `points`, by the rule. */
async function slopesAt(op: string, points: readonly number[], opset = 17): Promise<number[]> {
	const feeds = { x: { dims: [points.length], data: Float32Array.from(points) } }
	const { x } = await gradientsOf(operatorGraph(op, ['x'], feeds, {}, { opset }), feeds, ['x'])
	return Array.from(x!.data, Number).map((value, i) => value / W(i))
}

describe('activationRules', () => {
	it('at the kinks: what PyTorch says', async () => {
		expectAllclose(await slopesAt('Relu', [0, -0, 1e-30, -1e-30]), [0, 0, 1, 0])
		expectAllclose(await slopesAt('LeakyRelu', [0, 1e-30]), [0.01, 1])
		expectAllclose(await slopesAt('Elu', [0]), [1])
		expectAllclose(await slopesAt('HardSigmoid', [-2.5, 2.5]), [0, 0])
		expectAllclose(await slopesAt('Abs', [0]), [0])
	})

	it('far out: finite, and flat or straight as the function is', async () => {
		const far = [-1e4, 1e4]
		expectAllclose(await slopesAt('Relu', [-Infinity, 3e38]), [0, 1])
		expectAllclose(await slopesAt('Sigmoid', far), [0, 0])
		expectAllclose(await slopesAt('Tanh', far), [0, 0])
		expectAllclose(await slopesAt('Softplus', far), [0, 1])
		expectAllclose(await slopesAt('Elu', far), [0, 1])
		expectAllclose(await slopesAt('HardSwish', far), [0, 1])
		expectAllclose(await slopesAt('Gelu', far, 20), [0, 1])
		expectAllclose(await slopesAt('Mish', [-80, 80], 18), [0, 1])
	})

	it('any alpha and gamma agree with central differences', async () => {
		const factor = fc.constantFrom(-0.5, 0.1, 0.9, 1.5)
		const op = fc.constantFrom('LeakyRelu', 'Elu', 'Selu', 'HardSigmoid')
		await fc.assert(
			fc.asyncProperty(op, factor, async (op, alpha) => {
				const feeds = { x: awayFrom(wave([3, 5], 0, 0.3), [0]) }
				const more = op === 'Selu' ? { gamma: { float: 1.2 } } : op === 'HardSigmoid' ? { beta: { float: 0.47 } } : {}
				await checkGradient(operatorGraph(op, ['x'], feeds, { alpha: { float: alpha }, ...more }), feeds, ['x'])
			}),
			{ numRuns: 16 },
		)
	})

	it('Softmax and LogSoftmax over any axis of any shape agree with central differences', async () => {
		const example = fc
			.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
			.chain((dims) => fc.tuple(fc.constant(dims), fc.integer({ min: -dims.length, max: dims.length - 1 })))
		await fc.assert(
			fc.asyncProperty(fc.constantFrom('Softmax', 'LogSoftmax'), example, async (op, [dims, axis]) => {
				const feeds = { x: wave(dims, 0, 2) }
				await checkGradient(operatorGraph(op, ['x'], feeds, { axis }), feeds, ['x'])
			}),
			{ numRuns: 30 },
		)
	})
})
