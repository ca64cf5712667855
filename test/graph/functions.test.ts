/** Local functions, built here as PyTorch's dynamo exporter nests them, with the answers by plain arithmetic. */
import { create, fromBinary, type MessageInitShape } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { FunctionProtoSchema, ModelProtoSchema } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { chooseLayer } from '../../src/defense/prune/layer.ts'
import { pruneChannels } from '../../src/defense/prune/repaired.ts'
import { GoodnetError } from '../../src/errors.ts'
import { makeNode, type Node } from '../../src/graph/graph.ts'
import { decodeOnnx } from '../../src/graph/onnx.ts'
import { sourceFiles } from '../../src/model/write-back.ts'
import { distance, run } from '../formats/keras/run.ts'
import { damaged, GRAPH, IMAGES, openWith, rewritten } from '../helpers/exported.ts'
import { wrapGraph } from '../helpers/networks.ts'

type FunctionInit = MessageInitShape<typeof FunctionProtoSchema>
const node = (opType: string, input: string[], output: string[], domain = '', attribute: object[] = []) =>
	({ opType, input, output, domain, name: '', attribute }) as NonNullable<FunctionInit['node']>[number]

/** `y = leaky(x, slope) + x`, by a function that calls another and hands an attribute on, as the dynamo exporter nests modules. */
function withFunctions(change: (functions: FunctionInit[]) => void = () => {}): Uint8Array {
	const opset = [
		{ domain: '', version: 13n },
		{ domain: 'mine', version: 1n },
	]
	const slope = { name: 'alpha', refAttrName: 'slope', type: 1 }
	const functions: FunctionInit[] = [
		{
			name: 'leaky',
			domain: 'mine',
			input: ['v'],
			output: ['w'],
			attribute: ['slope'],
			opsetImport: opset,
			node: [node('LeakyRelu', ['v'], ['w'], '', [slope])],
		},
		{
			name: 'block',
			domain: 'mine',
			input: ['v'],
			output: ['sum'],
			attribute: ['slope'],
			opsetImport: opset,
			node: [node('leaky', ['v'], ['w'], 'mine', [{ ...slope, name: 'slope' }]), node('Add', ['w', 'v'], ['sum'])],
		},
	]
	change(functions)
	const nodes = [
		makeNode('block', ['x'], ['w']),
		makeNode('block', ['w'], ['twice']),
		makeNode('Flatten', ['twice'], ['output']),
	]
	const calls = nodes.map(
		(each): Node =>
			each.op === 'block' ? { ...each, domain: 'mine', attributes: { slope: { type: 'float', value: 0.25 } } } : each,
	)
	const graph = {
		...wrapGraph(calls, new Map(), ['batch', 1, 1, 2], ['batch', 2]),
		opsets: new Map([
			['', 13],
			['mine', 1],
		]),
	}
	return rewritten(graph, (model) => {
		model.functions = functions.map((each) => create(FunctionProtoSchema, each))
	})
}

describe('local functions, as PyTorch’s dynamo exporter writes them', () => {
	it('are dissolved, attributes and nested calls included, however values are called', async () => {
		const model = await openWith(withFunctions())
		expect(model.graph.nodes.map(({ op }) => op)).toEqual(['LeakyRelu', 'Add', 'LeakyRelu', 'Add', 'Flatten'])
		expect([...model.graph.opsets.keys()]).toEqual([''])
		expect(model.input.batch).toBeNull()
		const [output] = await run(model.graph, [{ dims: [2, 1, 1, 2], values: [1, -1, 2, -4] }])
		// leaky(x) + x is 2x above zero and 1.25x below; twice.
		expect([...Array.from(output!.values)]).toEqual([4, -1.5625, 8, -6.25])
	})

	it('stay in the file when weights outside them change', async () => {
		const graph = {
			...GRAPH,
			opsets: new Map([
				['', 13],
				['mine', 1],
			]),
		}
		const renamed = {
			...graph,
			nodes: graph.nodes.map((each) => (each.op === 'Relu' ? { ...each, op: 'positive', domain: 'mine' } : each)),
		}
		const bytes = rewritten(renamed, (model) => {
			const positive = {
				name: 'positive',
				domain: 'mine',
				input: ['a'],
				output: ['b'],
				opsetImport: [{ domain: '', version: 13n }],
				node: [node('Relu', ['a'], ['b'])],
			}
			model.functions = [create(FunctionProtoSchema, positive)]
		})
		const model = await openWith(bytes)
		const repaired = pruneChannels(model, chooseLayer(model, 'layer'), [0])
		const { main } = await sourceFiles(repaired)
		expect(main.length).toBe(bytes.length)
		expect(fromBinary(ModelProtoSchema, main).functions).toHaveLength(1)
		const [reread] = await run(decodeOnnx(main), [IMAGES])
		const [pruned] = await run(repaired.graph, [IMAGES])
		expect(distance(reread!.values, pruned!.values)).toBe(0)
	})

	it('are refused where they never end, and where they are of another operator set', async () => {
		const endless = withFunctions(([leaky]) => Object.assign(leaky!, { node: [node('leaky', ['v'], ['w'], 'mine')] }))
		await expect(openWith(endless)).rejects.toThrow(/functions call one another without end/)
		const doubling = withFunctions((functions) => {
			for (let i = 0; i < 30; i++) {
				const next = i === 29 ? node('Relu', ['v'], ['w']) : node(`f${i + 1}`, ['v'], ['w'], 'mine')
				functions.push({
					name: `f${i}`,
					domain: 'mine',
					input: ['v'],
					output: ['w'],
					node: [next, { ...next, output: ['u'] } as typeof next],
				})
			}
			Object.assign(functions[0]!, { node: [node('f0', ['v'], ['w'], 'mine')] })
		})
		await expect(openWith(doubling)).rejects.toThrow(/without end/)
		const mixed = withFunctions(([leaky]) => Object.assign(leaky!, { opsetImport: [{ domain: '', version: 18n }] }))
		await expect(openWith(mixed)).rejects.toMatchObject({ code: 'mixed-opsets' })
	})

	it('give a graph or a named error whatever is damaged', async () => {
		await fc.assert(
			fc.asyncProperty(damaged(withFunctions()), async (file) => {
				const read = async () => decodeOnnx(file, 'net.onnx')
				const result = await read().catch((error: unknown) => error)
				if (result instanceof Error) expect(result, String(result.stack)).toBeInstanceOf(GoodnetError)
			}),
			{ numRuns: 300 },
		)
	})
})
