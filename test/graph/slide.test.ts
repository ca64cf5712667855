import { describe, expect, it } from 'vitest'
import { floatTensor, type Graph, makeNode, type Node } from '../../src/graph/graph.ts'
import { slideDown } from '../../src/graph/slide.ts'

function graphOf(nodes: Node[]): Graph {
	const x = { name: 'x', dtype: 'float32', shape: ['N', 4, 8, 8] } as const
	const y = { name: nodes.at(-1)!.outputs[0]!, dtype: 'float32', shape: null } as const
	return {
		...{ name: 'net', nodes, inputs: [x], outputs: [y], initializers: new Map([['s', floatTensor([1], [2])]]) },
		...{ valueInfo: [], irVersion: 8, opsets: new Map([['', 13]]), metadata: new Map() },
		...{ producerName: '', producerVersion: '' },
	}
}

const relu = makeNode('Relu', ['x'], ['r'])
const flatten = makeNode('Flatten', ['p'], ['f'])

describe('slideDown', () => {
	it('goes behind the pooling that follows, past operators that keep channels apart', () => {
		const scale = makeNode('Mul', ['r', 's'], ['m'])
		const pool = makeNode('GlobalAveragePool', ['m'], ['p'])
		expect(slideDown(graphOf([relu, scale, pool, flatten]), 'x', 1)).toBe('p')
	})

	it('stays where nothing behind it throws positions away', () => {
		expect(slideDown(graphOf([relu, makeNode('Sigmoid', ['r'], ['p']), flatten]), 'x', 1)).toBe('x')
	})

	it('stays before a sum, a second reader and an output', () => {
		const pool = makeNode('GlobalAveragePool', ['a'], ['p'])
		expect(slideDown(graphOf([relu, makeNode('Add', ['x', 'r'], ['a']), pool, flatten]), 'x', 1)).toBe('x')
		const readers = [relu, makeNode('MaxPool', ['r'], ['p']), makeNode('Neg', ['r'], ['n']), flatten]
		expect(slideDown(graphOf(readers), 'x', 1)).toBe('x')
		expect(slideDown(graphOf([makeNode('MaxPool', ['x'], ['p'])]), 'p', 1)).toBe('p')
	})
})
