import { describe, it } from 'vitest'
import { floatTensor } from '../../../src/graph/graph.ts'
import { expectAllclose, type Feeds, gradientsOf, operatorGraph } from '../../helpers/gradients.ts'

const vector = (...values: number[]) => ({ dims: [values.length], data: Float32Array.from(values) })

/** Derivatives by the rule: gradients without the weights of the loss. */
async function slopes(op: string, feeds: Feeds, name: string): Promise<number[]> {
	const gradients = await gradientsOf(operatorGraph(op, Object.keys(feeds), feeds), feeds, [name])
	return Array.from(gradients[name]!.data, Number).map((value, i) => value / Math.cos(0.7 * i + 0.3))
}

describe('elementwiseRules', () => {
	it('Pow of negative and zero bases, as PyTorch has it', async () => {
		const feeds = { x: vector(-2, 0, 0, 0, -1), e: vector(3, 2, 1, 0, -2) }
		expectAllclose(await slopes('Pow', feeds, 'x'), [12, 0, 1, 0, 2])
	})

	it('Pow: the exponent has no gradient where the base is not positive', async () => {
		const feeds = { x: vector(-2, 0, Math.E), e: vector(2, 2, 2) }
		expectAllclose(await slopes('Pow', feeds, 'e'), [0, 0, Math.E ** 2])
	})

	it('Pow by constants: 0, 1, 2, ½ and any other', async () => {
		for (const [exponent, expected] of [
			[0, 0],
			[1, 1],
			[2, 6],
			[0.5, 0.5 / Math.sqrt(3)],
			[-1, -1 / 9],
			[2.5, 2.5 * 3 ** 1.5],
		] as const) {
			const feeds = { x: vector(3) }
			const constants = { e: floatTensor([], [exponent]) }
			const { x } = await gradientsOf(operatorGraph('Pow', ['x', 'e'], feeds, {}, { constants }), feeds, ['x'])
			expectAllclose(x!.data, [expected * Math.cos(0.3)], { what: `exponent ${exponent}` })
		}
	})

	it('Abs at 0 is flat, as PyTorch has it', async () => {
		expectAllclose(await slopes('Abs', { x: vector(-3, 0, 2) }, 'x'), [-1, 0, 1])
	})

	it('Erf, Exp and Reciprocal far out are finite', async () => {
		expectAllclose(await slopes('Erf', { x: vector(-1e4, 1e4) }, 'x'), [0, 0])
		expectAllclose(await slopes('Exp', { x: vector(-1e4) }, 'x'), [0])
		expectAllclose(await slopes('Reciprocal', { x: vector(1e18) }, 'x'), [0])
	})
})
