import { describe, expect, it } from 'vitest'
import { floatTensor, makeNode } from '../../src/graph/graph.ts'
import { upgradeOpset } from '../../src/graph/upgrade.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { wrapGraph } from '../helpers/networks.ts'

describe('upgradeOpset', () => {
	const kernel = floatTensor([2, 1, 1, 1], [1, 2])
	const bias = floatTensor([2], [10, 20])
	const old = (axis: Record<string, number>) => {
		const nodes = [
			makeNode('Conv', ['x', 'k'], ['conv']),
			makeNode('Add', ['conv', 'b'], ['output'], { broadcast: 1, ...axis }),
		]
		const constants = new Map([
			['k', kernel],
			['b', bias],
		])
		return { ...wrapGraph(nodes, constants, ['N', 1, 1, 2], null), opsets: new Map([['', 6]]) }
	}

	it('restates a bias along the channel axis in numpy broadcasting, with the same result', async () => {
		const session = await (await nodeRuntime({ threads: 1 })).load(upgradeOpset(old({ axis: 1 })))
		const { output } = await session.run({ x: { dims: [1, 1, 1, 2], data: Float32Array.of(1, 2) } })
		expect([...output!.data]).toEqual([11, 12, 22, 24])
	})

	it('leaves newer graphs as they are, the very same object', () => {
		const graph = { ...old({}), opsets: new Map([['', 13]]) }
		expect(upgradeOpset(graph)).toBe(graph)
	})

	it('drops attributes that opset 7 does not know', () => {
		expect(Object.keys(upgradeOpset(old({})).nodes[1]!.attributes)).toEqual([])
	})

	it('names a broadcast that it cannot restate', () => {
		const nodes = [makeNode('Add', ['x', 'b'], ['output'], { broadcast: 1, axis: 1 })]
		const graph = { ...wrapGraph(nodes, new Map([['b', bias]]), ['N', 2], null), opsets: new Map([['', 6]]) }
		expect(() => upgradeOpset(graph)).toThrow(/output \(Add\) broadcasts in the way of opset 6/)
	})
})
