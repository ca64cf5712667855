import { describe, expect, it } from 'vitest'
import { Tape } from '../../../src/graph/gradient/tape.ts'
import { floatTensor, intTensor, makeNode } from '../../../src/graph/graph.ts'
import { graphOf, wave } from '../../helpers/gradients.ts'

const constants = { w: floatTensor([2, 2], [1, 2, 3, 4]) }
const graph = (opset = 17) =>
	graphOf(
		[makeNode('Constant', [], ['k'], { value: intTensor([1, 2]) }), makeNode('Relu', ['x'], ['grad/Mul'])],
		{ x: wave([2, 3]) },
		['grad/Mul'],
		{ opset, constants },
	)

describe('Tape', () => {
	it('tells shapes and types of inputs, initializers and constants', () => {
		const tape = new Tape(graph())
		expect(['x', 'w', 'k'].map((name) => tape.shapeOf(name))).toEqual([[2, 3], [2, 2], [2]])
		expect(['x', 'w', 'k'].map((name) => tape.dtypeOf(name))).toEqual(['float32', 'float32', 'int64'])
	})

	it('refuses a shape that is not known in numbers, naming the value', () => {
		const symbolic = { ...graph(), inputs: [{ name: 'x', dtype: 'float32' as const, shape: ['N', 3] }] }
		const expected = { code: 'shape-unknown', layer: 'x' }
		expect(() => new Tape(symbolic).shapeOf('x')).toThrow(expect.objectContaining(expected))
	})

	it('gives every value a name that the graph and the tape do not have yet', () => {
		const tape = new Tape(graph())
		const names = [tape.emit('Mul', ['x', 'x']), tape.emit('Mul', ['x', 'x']), tape.scalar(1), tape.scalar(1)]
		expect(new Set([...names, 'grad/Mul']).size).toBe(5)
	})

	it('writes the axes of reductions where the opset has them', () => {
		for (const [opset, op, inputs] of [
			[17, 'ReduceSum', 2],
			[17, 'ReduceMean', 1],
			[18, 'ReduceMean', 2],
		] as const) {
			const tape = new Tape(graph(opset))
			tape.reduce(op, 'x', [0], true)
			expect(tape.nodes[0]!.inputs).toHaveLength(inputs)
		}
	})

	it('writes nothing where nothing was broadcast', () => {
		const tape = new Tape(graph())
		expect(tape.sumTo('x', [2, 3], [2, 3])).toBe('x')
		expect(tape.sumTo('x', [1, 3], [1, 3])).toBe('x')
		expect(tape.nodes).toEqual([])
	})
})
