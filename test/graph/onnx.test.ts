import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GoodnetError } from '../../src/errors.ts'
import { zeroChannels } from '../../src/graph/edit.ts'
import { floatTensor, type Graph, makeNode, type Tensor } from '../../src/graph/graph.ts'
import { decodeOnnx, encodeOnnx } from '../../src/graph/onnx.ts'
import { cnnShape } from '../helpers/arbitraries.ts'
import { PLAIN_SHAPE, randomCnn, wrapGraph } from '../helpers/networks.ts'

describe('ONNX files', () => {
	it('decode∘encode keeps every random net: nodes, attributes, tensors, shapes, metadata', () => {
		fc.assert(
			fc.property(cnnShape, (shape) => {
				const graph = randomCnn(shape)
				expect(comparable(decodeOnnx(encodeOnnx(graph)))).toEqual(comparable(graph))
			}),
			{ numRuns: 30 },
		)
	})

	it('keeps attributes of every kind', () => {
		const node = makeNode('Made', ['x'], ['output'], {
			int: -3,
			ints: [1, 2 ** 40],
			float: { float: 0.5 },
			text: 'grün',
			tensor: floatTensor([2], [1, 2]),
		})
		const graph = wrapGraph([node], new Map(), ['N', 1, 2, 2], null)
		expect(comparable(decodeOnnx(encodeOnnx(graph)))).toEqual(comparable(graph))
	})

	it('encodes to the same bytes again after decoding', () => {
		const once = encodeOnnx(randomCnn({ ...base, normalize: true }))
		expect(encodeOnnx(decodeOnnx(once))).toEqual(once)
	})

	it('takes a Buffer as well, and never writes to it', () => {
		const buffer = Buffer.from(encodeOnnx(randomCnn(base)))
		const copy = Buffer.from(buffer)
		zeroChannels(decodeOnnx(buffer), [{ name: 'conv_1/kernel', axis: 0 }], [0])
		expect(buffer.equals(copy)).toBe(true)
	})

	it('lists initializers among the inputs for files before IR version 4, and reads them back apart', () => {
		const graph = { ...randomCnn(base), irVersion: 3 }
		const again = decodeOnnx(encodeOnnx(graph))
		expect(again.inputs).toEqual(graph.inputs)
		expect(again.initializers.size).toBe(graph.initializers.size)
	})

	it('gives a graph or a named error for any bytes', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => isGraphOrNamedError(bytes)),
			{ numRuns: 300 },
		)
	})

	it('gives a graph or a named error for every truncation and bit flip of a real file', () => {
		const bytes = encodeOnnx(randomCnn(base))
		const position = fc.integer({ min: 0, max: bytes.length - 1 })
		fc.assert(
			fc.property(position, fc.integer({ min: 0, max: 7 }), (at, bit) => {
				const flipped = bytes.slice()
				flipped[at]! ^= 1 << bit
				isGraphOrNamedError(flipped)
				isGraphOrNamedError(bytes.slice(0, at))
			}),
			{ numRuns: 300 },
		)
	})

	it('refuses a tensor whose dims promise more than the file holds, before allocating', () => {
		const huge: Tensor = { dtype: 'float32', dims: [2 ** 30, 2 ** 30], bytes: new Uint8Array(8) }
		const graph = wrapGraph([makeNode('Relu', ['x'], ['output'])], new Map([['w', huge]]), ['N', 1, 2, 2], null)
		expect(() => decodeOnnx(encodeOnnx(graph), 'bomb.onnx')).toThrow(/bomb\.onnx.*tensor w.*dims/)
	})

	it('refuses opset 5 by its number', () => {
		const graph = { ...randomCnn(base), opsets: new Map([['', 5]]) }
		expect(() => decodeOnnx(encodeOnnx(graph), 'old.onnx')).toThrow('opset 5')
	})
})

const base = PLAIN_SHAPE

function isGraphOrNamedError(bytes: Uint8Array): void {
	try {
		expect(decodeOnnx(bytes).nodes).toBeDefined()
	} catch (error) {
		expect(error).toBeInstanceOf(GoodnetError)
	}
}

/** What a graph says, without how unknown fields were kept and with tensors as plain values. */
function comparable(graph: Graph) {
	const plain = ({ dtype, dims, bytes }: Tensor) => ({
		dtype,
		dims: [...dims],
		bytes: Buffer.from(bytes).toString('hex'),
	})
	const { residue: _, ...rest } = graph
	return {
		...rest,
		initializers: [...graph.initializers].map(([name, tensor]) => [name, plain(tensor)]),
		nodes: graph.nodes.map((node) => ({
			...node,
			attributes: Object.fromEntries(
				Object.entries(node.attributes).map(([name, a]) => [name, a.type === 'tensor' ? plain(a.value) : a]),
			),
		})),
	}
}
