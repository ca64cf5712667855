import fc from 'fast-check'
import { describe, it } from 'vitest'
import { checkGradient, operatorGraph, wave } from '../../helpers/gradients.ts'

describe('matrixRules', () => {
	it('MatMul: batches, broadcast batch axes and vectors agree with central differences', async () => {
		const size = fc.integer({ min: 1, max: 4 })
		const batch = fc.constantFrom<[number[], number[]]>(
			[[], []],
			[[3], []],
			[[], [3]],
			[[2, 3], [3]],
			[
				[2, 1],
				[1, 3],
			],
			[[1], [4]],
		)
		await fc.assert(
			fc.asyncProperty(
				batch,
				size,
				size,
				size,
				fc.constantFrom('mm', 'vm', 'mv', 'vv'),
				async ([a, b], m, k, n, kind) => {
					const left = kind.startsWith('v') ? [k] : [...a, m, k]
					const right = kind.endsWith('v') ? [k] : [...b, k, n]
					const feeds = { a: wave(left), b: wave(right, 1) }
					await checkGradient(operatorGraph('MatMul', ['a', 'b'], feeds), feeds, ['a', 'b'])
				},
			),
			{ numRuns: 40 },
		)
	})

	it('Gemm: transposed operands, alpha, beta and every broadcast of C agree with central differences', async () => {
		const size = fc.integer({ min: 1, max: 4 })
		const flag = fc.constantFrom(0, 1)
		const addend = fc.constantFrom('none', 'scalar', 'row', 'column', 'full', 'vector')
		const factor = fc.constantFrom(1, 0.5, -2)
		await fc.assert(
			fc.asyncProperty(
				size,
				size,
				size,
				flag,
				flag,
				addend,
				factor,
				factor,
				async (m, k, n, transA, transB, c, alpha, beta) => {
					const shapes: Record<string, number[]> = {
						scalar: [],
						row: [1, n],
						column: [m, 1],
						full: [m, n],
						vector: [n],
					}
					const feeds = {
						a: wave(transA ? [k, m] : [m, k]),
						b: wave(transB ? [n, k] : [k, n], 1),
						...(c === 'none' ? {} : { c: wave(shapes[c]!, 2) }),
					}
					const attributes = { transA, transB, alpha: { float: alpha }, beta: { float: beta } }
					const names = Object.keys(feeds)
					await checkGradient(operatorGraph('Gemm', names, feeds, attributes), feeds, names)
				},
			),
			{ numRuns: 40 },
		)
	})
})
