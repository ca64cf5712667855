import fc from 'fast-check'
import { describe, it } from 'vitest'
import { intTensor } from '../../../src/graph/graph.ts'
import { checkGradient, expectAllclose, gradientsOf, operatorGraph, scattered } from '../../helpers/gradients.ts'

const OPERATORS = [
	'ReduceSum',
	'ReduceMean',
	'ReduceMax',
	'ReduceMin',
	'ReduceL1',
	'ReduceL2',
	'ReduceSumSquare',
	'ReduceLogSumExp',
]

describe('reductionRules', () => {
	it('any axes, kept or not, as attribute (opset 17) or operand (18 and 21), agree with central differences', async () => {
		const dims = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
		const example = fc.tuple(dims, fc.constantFrom(0, 1), fc.constantFrom(17, 18, 21), fc.constantFrom(...OPERATORS))
		const axes = fc.array(fc.integer({ min: -4, max: 3 }), { maxLength: 3 })
		await fc.assert(
			fc.asyncProperty(example, axes, async ([dims, keepdims, opset, op], wished) => {
				const inRange = wished.filter((axis) => axis >= -dims.length && axis < dims.length)
				const unique = inRange.filter(
					(axis, i) => inRange.findIndex((other) => (other - axis) % dims.length === 0) === i,
				)
				const feeds = { x: scattered(dims) }
				const isOperand = opset >= 18 || op === 'ReduceSum'
				const graph =
					unique.length === 0
						? operatorGraph(op, ['x'], feeds, { keepdims }, { opset })
						: isOperand
							? operatorGraph(op, ['x', 'axes'], feeds, { keepdims }, { opset, constants: { axes: intTensor(unique) } })
							: operatorGraph(op, ['x'], feeds, { keepdims, axes: unique }, { opset })
				// Neighbours of a maximum are at least 2/256 away; |x| and the norm bend at 0, 1/256 away at least.
				await checkGradient(graph, feeds, ['x'], { epsilon: 2e-3, atol: 1e-2 })
			}),
			{ numRuns: 60 },
		)
	})

	it('no axes with noop_with_empty_axes: nothing is reduced', async () => {
		const feeds = { x: scattered([2, 3]) }
		await checkGradient(operatorGraph('ReduceSum', ['x'], feeds, { noop_with_empty_axes: 1 }), feeds, ['x'])
	})

	it('ReduceMax and ReduceMin share the gradient evenly among equal ones, as PyTorch does', async () => {
		const feeds = { x: { dims: [1, 4], data: Float32Array.of(2, 1, 2, 1) } }
		const weight = Math.cos(0.3)
		for (const [op, expected] of [
			['ReduceMax', [0.5, 0, 0.5, 0]],
			['ReduceMin', [0, 0.5, 0, 0.5]],
		] as const) {
			const { x } = await gradientsOf(operatorGraph(op, ['x'], feeds, { axes: [1] }), feeds, ['x'])
			expectAllclose(
				x!.data,
				expected.map((share) => share * weight),
				{ what: op },
			)
		}
	})

	it('ReduceL2 of zeros has the gradient 0, as PyTorch does', async () => {
		const feeds = { x: { dims: [3], data: new Float32Array(3) } }
		const { x } = await gradientsOf(operatorGraph('ReduceL2', ['x'], feeds), feeds, ['x'])
		expectAllclose(x!.data, [0, 0, 0])
	})
})
