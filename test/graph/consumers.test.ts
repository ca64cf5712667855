import { describe, expect, it } from 'vitest'
import { normalizationBehind, traceProducers } from '../../src/graph/channels.ts'
import { traceConsumers } from '../../src/graph/consumers.ts'
import { type Graph, makeNode, nodeName } from '../../src/graph/graph.ts'
import { channelRoles } from '../../src/graph/roles/roles.ts'
import { OTHER_FORMS } from '../helpers/architectures/builder.ts'
import { denseNet } from '../helpers/architectures/densenet.ts'
import { preActResNet, resNet } from '../helpers/architectures/resnet.ts'
import { squeezeExciteNet } from '../helpers/architectures/squeeze-excite.ts'
import { vgg } from '../helpers/architectures/vgg.ts'
import { modelOf } from '../helpers/models.ts'

const TINY = { size: 8, classes: 5 }

/** `kind name`, with the offset where there is one. */
async function readersOf(graph: Graph, value: string): Promise<string[]> {
	const { values } = await modelOf(graph)
	const consumers = traceConsumers(graph, channelRoles(graph, values), values, value)
	return consumers.map(({ kind, name, offset }) => `${kind} ${name}${offset > 0 ? ` at ${offset}` : ''}`)
}

async function makersOf(graph: Graph, value: string): Promise<string[] | undefined> {
	const { values } = await modelOf(graph)
	const producers = traceProducers(graph, value, 1, (name) => values.get(name)?.shape ?? undefined)
	return producers?.map(({ node, offset }) => `${nodeName(node)}${offset > 0 ? ` at ${offset}` : ''}`)
}

describe('traceConsumers', () => {
	it('sees through activation, pooling and flattening to the layers that mix', async () => {
		const graph = vgg({ ...TINY, widths: [4, 6, 7], stages: 2 })
		expect(await readersOf(graph, 'features.0.0.conv')).toEqual([
			'normalization features.0.0.bn',
			'convolution features.1.0.conv',
		])
		expect(await readersOf(graph, 'pool2')).toEqual(['dense hidden'])
		const other = vgg({ ...TINY, widths: [4, 6, 7], stages: 2, forms: OTHER_FORMS })
		expect(await readersOf(other, 'pool2')).toEqual(['dense hidden.product'])
	})

	it('names the sum that ties channels, post-activation and pre-activation', async () => {
		expect(await readersOf(resNet({ ...TINY, widths: [4] }), 'layer1.0.sum.relu')).toEqual([
			'convolution layer1.1.1.conv',
			'sum layer1.1.sum',
		])
		expect(await readersOf(preActResNet({ ...TINY, widths: [4] }), 'layer1.0.sum')).toEqual([
			'normalization layer1.1.0.bn',
			'convolution layer1.1.1.conv',
			'sum layer1.1.sum',
		])
	})

	it('tells where a concatenation puts the channels', async () => {
		const graph = denseNet({ ...TINY, growth: 2, layers: [2] })
		expect(await readersOf(graph, 'block1.0.2.conv')).toEqual(['concatenation block1.0.concat at 4'])
	})

	it('knows a gate from what it scales', async () => {
		const graph = squeezeExciteNet({ ...TINY, widths: [4], gate: 'dense' })
		const { values } = await modelOf(graph)
		const consumers = (value: string) => traceConsumers(graph, channelRoles(graph, values), values, value)
		expect(consumers('layer1.0.se.fc2')).toMatchObject([{ kind: 'product', isGate: true }])
		expect(consumers('layer1.0.2.bn')).toMatchObject([{ kind: 'dense' }, { kind: 'product', isGate: false }])
	})

	it('takes what mixes channels without weights for something else', async () => {
		const graph = resNet({ ...TINY, widths: [4], blocks: 1 })
		const softmax = makeNode('Softmax', ['stem.bn.relu'], ['mixed'], { axis: 1 })
		const nodes = graph.nodes.flatMap((node) => {
			if (nodeName(node) !== 'layer1.0.1.conv') return [node]
			return [softmax, { ...node, inputs: ['mixed', node.inputs[1]!] }]
		})
		expect(await readersOf({ ...graph, nodes }, 'stem.bn.relu')).toEqual(['other mixed', 'sum layer1.0.sum'])
	})
})

describe('traceProducers', () => {
	it('lists the convolutions that a residual sum ties, back to the beginning of the stage', async () => {
		const graph = resNet({ ...TINY, widths: [4, 6] })
		expect(await makersOf(graph, 'layer1.1.sum.relu')).toEqual(['stem.conv', 'layer1.0.2.conv', 'layer1.1.2.conv'])
		expect(await makersOf(graph, 'pool')).toEqual(['layer2.0.2.conv', 'layer2.0.skip.conv', 'layer2.1.2.conv'])
	})

	it('lists the parts of a concatenation, each with the first channel that it makes', async () => {
		const graph = denseNet({ ...TINY, growth: 2, layers: [2] })
		expect(await makersOf(graph, 'pool')).toEqual(['stem.conv', 'block1.0.2.conv at 4', 'block1.1.2.conv at 6'])
	})

	it('does not take a gate for a maker', async () => {
		for (const gate of ['conv', 'dense'] as const) {
			const graph = squeezeExciteNet({ ...TINY, widths: [4], gate })
			expect(await makersOf(graph, 'layer1.0.sum.relu')).toEqual(['stem.conv', 'layer1.0.2.conv'])
		}
	})

	it('is not lost in a graph that joins and parts a hundred times', () => {
		const graph = resNet({ ...TINY, widths: [4], blocks: 1 })
		let value = 'stem.conv'
		const nodes = Array.from({ length: 100 }, (_, i) => {
			const sides = [makeNode('Relu', [value], [`a${i}`]), makeNode('Tanh', [value], [`b${i}`])]
			value = `c${i}`
			return [...sides, makeNode('Add', [`a${i}`, `b${i}`], [value])]
		}).flat()
		const deep = { ...graph, nodes: [...graph.nodes, ...nodes] }
		expect(traceProducers(deep, value, 1, () => ['N', 4, 8, 8])).toHaveLength(1)
	})
})

describe('normalizationBehind', () => {
	it('finds it behind a convolution, and says so where it is folded or stands before', () => {
		const find = (graph: Graph, name: string) =>
			normalizationBehind(graph, graph.nodes.find((node) => nodeName(node) === name)!)?.outputs[0] ?? null
		expect(find(resNet({ ...TINY, widths: [4] }), 'layer1.0.1.conv')).toBe('layer1.0.1.bn')
		expect(find(resNet({ ...TINY, widths: [4], forms: OTHER_FORMS }), 'layer1.0.1.conv')).toBeNull()
		expect(find(preActResNet({ ...TINY, widths: [4] }), 'stem.conv')).toBeNull()
	})
})
