import { describe, it } from 'vitest'
import { floatTensor } from '../../../src/graph/graph.ts'
import { checkGradient, expectAllclose, type Feeds, gradientsOf, operatorGraph, wave } from '../../helpers/gradients.ts'

const vector = (...values: number[]) => ({ dims: [values.length], data: Float32Array.from(values) })
const W = [0, 1, 2, 3].map((i) => Math.cos(0.7 * i + 0.3))

async function expectShares(
	op: string,
	feeds: Feeds,
	shares: Readonly<Record<string, readonly number[]>>,
): Promise<void> {
	const gradients = await gradientsOf(operatorGraph(op, Object.keys(feeds), feeds), feeds, Object.keys(shares))
	for (const [name, share] of Object.entries(shares)) {
		expectAllclose(
			gradients[name]!.data,
			share.map((each, i) => each * W[i]!),
			{ what: `${op}, ${name}` },
		)
	}
}

describe('selectionRules', () => {
	it('Max and Min give the whole gradient to the first of equal operands', async () => {
		const feeds = { a: vector(1, 2, 3, 0), b: vector(1, 3, 2, 0), c: vector(1, 3, 0, 0) }
		await expectShares('Max', feeds, { a: [1, 0, 1, 1], b: [0, 1, 0, 0], c: [0, 0, 0, 0] })
		await expectShares('Min', feeds, { a: [1, 1, 0, 1], b: [0, 0, 0, 0], c: [0, 0, 1, 0] })
	})

	it('Max of one operand is that operand', async () => {
		const feeds = { a: wave([3]) }
		await checkGradient(operatorGraph('Max', ['a'], feeds), feeds, ['a'])
	})

	it('Clip lets the gradient through at the bounds, as PyTorch does, and not beyond', async () => {
		const feeds = { x: vector(-1, 0, 6, 7) }
		const constants = { low: floatTensor([], [0]), high: floatTensor([], [6]) }
		const { x } = await gradientsOf(operatorGraph('Clip', ['x', 'low', 'high'], feeds, {}, { constants }), feeds, ['x'])
		expectAllclose(x!.data, [0, W[1]!, W[2]!, 0])
	})

	it('Clip with one bound, or none', async () => {
		const feeds = { x: wave([2, 3]) }
		const constants = { high: floatTensor([], [0.3]) }
		await checkGradient(operatorGraph('Clip', ['x', '', 'high'], feeds, {}, { constants }), feeds, ['x'])
		await checkGradient(operatorGraph('Clip', ['x'], feeds), feeds, ['x'])
	})

	it('Where keeps infinities of the side that was not taken out of the gradient', async () => {
		const condition = { dims: [4], data: Uint8Array.of(1, 0, 1, 0), dtype: 'bool' as const }
		const feeds = { condition, a: vector(1, Infinity, 2, NaN), b: vector(NaN, 1, Infinity, 2) }
		await expectShares('Where', feeds, { a: [1, 0, 1, 0], b: [0, 1, 0, 1] })
	})
})
